package formula

import (
	"testing"

	"wellspring/frame"
)

func TestFrame_Partial(t *testing.T) {
	d := frame.Dictionary{{Name: "y", Type: frame.Real, Min: 0, Max: 1}, {Name: "x", Type: frame.Real, Min: 18, Max: 90},
		{Name: "z", Type: frame.Real, Min: -2, Max: 5}}
	for text, want := range map[string]bool{
		"y ~ x + I(x^2) + z": false, "y ~ log(x)": false, "y ~ sqrt(x - 18)": false, "y ~ I(1 / x)": false, "y ~ I(z^3)": false,
		"y ~ exp(z)": false, "y ~ I(x^0.5)": false, "y ~ I(x^-1)": false, "y ~ abs(z)": false,
		"y ~ log(y)": true, "y ~ log(x - 18)": true, "y ~ sqrt(x - 19)": true, "y ~ I(z + 0 * sqrt(x - 19))": true, "y ~ I(1 / (x - 18.73))": true,
		"y ~ I(z^0.5)": true, "y ~ I(z^-1)": true, "y ~ exp(100 * x)": true, "y ~ I(0 * (1 / z))": true, "log(y) ~ x": true, "y ~ offset(log(z))": true,
	} {
		m, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Bind(m, d, "")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if name, got := f.Partial(); got != want {
			t.Errorf("%s: partial = %v (%s), want %v", text, got, name, want)
		}
	}
}
