package duckdb

import (
	"math"
	"math/bits"
	"unsafe"

	duck "github.com/duckdb/duckdb-go-bindings"
)

// chunkRows is the number of rows of DuckDB's vectors.
const chunkRows = 2048

// column gives a column of a chunk in place: its n values, and the mask whose
// set bits mark values that are not NULL; nil if none is.
func column[T float64 | int32 | int64](chunk duck.DataChunk, j, n int) (data []T, valid []uint64) {
	v := duck.DataChunkGetVector(chunk, duck.IdxT(j))
	data = unsafe.Slice((*T)(duck.VectorGetData(v)), n)
	if mask := duck.VectorGetValidity(v); mask != nil {
		valid = unsafe.Slice((*uint64)(mask), (n+63)/64)
	}
	return data, valid
}

// take copies rows [from, from+len(dst)) of a column, with missing for NULL.
func take[T float64 | int32](dst, src []T, valid []uint64, from int, missing T) {
	copy(dst, src[from:])
	if valid == nil {
		return
	}
	to := from + len(dst)
	for w := from / 64; w*64 < to; w++ {
		for null := ^valid[w]; null != 0; null &= null - 1 {
			if i := w*64 + bits.TrailingZeros64(null); i >= from && i < to {
				dst[i-from] = missing
			}
		}
	}
}

// putReal writes x to column j of a chunk that was reset, NaN as NULL.
func putReal(chunk duck.DataChunk, j int, x []float64) {
	v := duck.DataChunkGetVector(chunk, duck.IdxT(j))
	copy(unsafe.Slice((*float64)(duck.VectorGetData(v)), len(x)), x)
	var valid []uint64
	for i, f := range x {
		if math.IsNaN(f) {
			valid = setNull(v, valid, i)
		}
	}
}

// putCode writes codes to column j of a chunk that was reset, −1 as NULL.
func putCode(chunk duck.DataChunk, j int, codes []int32) {
	v := duck.DataChunkGetVector(chunk, duck.IdxT(j))
	copy(unsafe.Slice((*int32)(duck.VectorGetData(v)), len(codes)), codes)
	var valid []uint64
	for i, k := range codes {
		if k < 0 {
			valid = setNull(v, valid, i)
		}
	}
}

// putRow writes the row numbers first, first+1, ... to column j.
func putRow(chunk duck.DataChunk, j, n int, first int64) {
	v := duck.DataChunkGetVector(chunk, duck.IdxT(j))
	rows := unsafe.Slice((*int64)(duck.VectorGetData(v)), n)
	for i := range rows {
		rows[i] = first + int64(i)
	}
}

func setNull(v duck.Vector, valid []uint64, i int) []uint64 {
	if valid == nil {
		duck.VectorEnsureValidityWritable(v)
		valid = unsafe.Slice((*uint64)(duck.VectorGetValidity(v)), chunkRows/64)
	}
	valid[i/64] &^= 1 << (i % 64)
	return valid
}

// cell returns one value of a BIGINT or VARCHAR column.
func cell(v duck.Vector, i int) any {
	t := duck.VectorGetColumnType(v)
	defer duck.DestroyLogicalType(&t)
	if duck.GetTypeId(t) == duck.TypeVarchar {
		s := unsafe.Slice((*duck.StringT)(duck.VectorGetData(v)), chunkRows)
		return duck.StringTData(&s[i])
	}
	return unsafe.Slice((*int64)(duck.VectorGetData(v)), chunkRows)[i]
}
