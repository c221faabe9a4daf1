package formula

import (
	"fmt"
	"testing"

	"wellspring/frame"
)

// A variable's text gives it again, alone and among others.
func TestFrame_Variables(t *testing.T) {
	d := frame.Dictionary{{Name: "age", Type: frame.Integer, Min: 18, Max: 99}, {Name: "my bmi", Type: frame.Real, Min: 10, Max: 60},
		{Name: "ill", Type: frame.Integer, Min: 0, Max: 1}, {Name: "sex", Type: frame.Factor, Levels: []string{"F", "M"}}}
	f, err := bindText("log(age) ~ I(2*`my bmi` - 1) + poly(age, 2) + ns(`my bmi`, knots = 30, Boundary.knots = c(20, 40)) + I(age*`my bmi`) + ill + sex + offset(sqrt(age))", d)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var numbers []Number
	for _, v := range f.Variables() {
		got = append(got, fmt.Sprint(v.Number, v.Columns, v.Numeric))
		numbers = append(numbers, v.Number)
	}
	want := "[{I(log(age)) 0} [age] 0 {`my bmi` 0} [my bmi] 1 {age 0} [age] 2 {I(age^2) 0} [age] 3 {`my bmi` 0} [my bmi] 6 " +
		"{ns(`my bmi`, knots = 30, Boundary.knots = c(20, 40)) 1} [my bmi] 7 {I(age * `my bmi`) 0} [age my bmi] 8 {ill 0} [ill] 9 {I(sqrt(age)) 0} [age] 10]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	wide, at, err := Numbers(d, numbers, []string{"age", "my bmi", "ill", "sex"})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range numbers {
		if at[i] < 0 {
			t.Errorf("%v is not among %v", n, wide.Numeric())
		}
	}
	if len(wide.Columns()) != 4 {
		t.Errorf("reads %v", wide.Columns())
	}
	if _, _, err := Numbers(d, []Number{{Text: "age", Part: 1}}, nil); err == nil {
		t.Error("age has two variables")
	}
}
