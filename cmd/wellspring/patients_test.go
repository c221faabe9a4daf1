package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// patients makes a CSV file of n rows from a seed: columns that a study can
// use, and ones that it must refuse (card, const, twice, old, none).
func patients(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	var b bytes.Buffer
	b.WriteString("card,age,性别,bmi,arm,ill,time,status,const,twice,old,none\n")
	for i := range n {
		age, bmi := 30+r.IntN(50), 25+4*r.NormFloat64()
		ill, old := 0, 0
		if r.Float64() < float64(age-20)/90 {
			ill = 1
		}
		if age > 55 {
			old = 1
		}
		fmt.Fprintf(&b, "%d,%d,%s,%.1f,%s,%d,%d,%d,3,%d,%d,0\n", 100000000000000+7919*uint64(i)+seed, age,
			[]string{"女 性", "男 性"}[r.IntN(2)], bmi, []string{"drug A", "placebo"}[r.IntN(2)], ill,
			1+r.IntN(900), min(1, r.IntN(3)), 2*age+1, old)
	}
	return b.Bytes()
}
