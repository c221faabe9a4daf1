package book_test

import "github.com/RoaringBitmap/roaring/v2"

// bitmaps are of the first so many rows.
func bitmaps(sizes ...int) (out []*roaring.Bitmap) {
	for _, n := range sizes {
		b := roaring.New()
		b.AddRange(0, uint64(n))
		out = append(out, b)
	}
	return out
}
