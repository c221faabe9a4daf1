package hubtest

import "testing"

// Play founds a network that ends with the test, in a folder of its own; where the test
// fails it tells what its nodes reported.
func Play(t testing.TB, cfg Config) *Network {
	t.Helper()
	cfg.Dir = t.TempDir()
	w, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("reported: %v", w.Troubles())
		}
	})
	return w
}
