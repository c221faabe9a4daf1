package engine

import (
	"context"
	"iter"

	ws "wellspring"
	"wellspring/frame"
)

// A Version numbers the frozen states of a dataset, from 1 without gaps. The
// zero Version names none.
type Version int

// VersionInfo is what a store knows of a version without reading its rows.
type VersionInfo struct {
	Version Version `json:"version"`
	// Rows is for the site's own eyes: policy decides who else may see it.
	Rows       int64            `json:"rows"`
	Dictionary frame.Dictionary `json:"dictionary"`
	// Release is the program that froze it.
	Release ws.Release `json:"release"`
}

// A Store holds the rows of one site. All its methods may be called
// concurrently; loads and freezes take turns.
//
// A dataset's name has 1 to 128 characters; any other is Invalid. Once ctx has
// ended, methods return an error of the kind Stopped that matches ctx.Err().
type Store interface {
	// Load replaces the draft of a dataset by rows, whose batches may have any
	// length and hold all columns of d in its order, those of identifiers with
	// the zero Values. It is all or nothing, and durable on return. It reads
	// batches until the next one is asked for, and keeps none.
	//
	// A row outside d, and a batch of another shape, is Invalid; an error of
	// rows comes back with its kind. The former draft then stands.
	Load(ctx context.Context, name ws.Dataset, d frame.Dictionary, rows iter.Seq2[frame.Batch, error]) error

	// LoadParquet is Load with the rows of a Parquet file, in the file's order.
	// Columns are found by their exact names; those that d does not name, and
	// identifiers, are not read. A number may be a level. A column that is
	// absent or of a type that cannot be read as d says is Invalid.
	LoadParquet(ctx context.Context, name ws.Dataset, d frame.Dictionary, path string) error

	// Freeze makes the draft the next version, which never changes, and is
	// durable on return. Without a new draft it returns the last version again;
	// a dataset that was never loaded is Invalid.
	Freeze(ctx context.Context, name ws.Dataset) (Version, error)

	// Open returns the rows of a version, in the order in which they were
	// loaded. The Source may outlive the context, not the store: its methods
	// then are Invalid. A version that there is not is Invalid.
	Open(ctx context.Context, name ws.Dataset, v Version) (frame.Source, error)

	// Versions returns the versions of a dataset in ascending order; none for
	// a name that the store does not know.
	Versions(ctx context.Context, name ws.Dataset) ([]VersionInfo, error)

	// Close frees the store's memory and files, the files as soon as the scans
	// that still run have ended. All later calls are Invalid, but for Close.
	Close() error
}
