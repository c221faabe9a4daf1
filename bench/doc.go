// Command bench runs the project's proofs: each measures one claimed number,
// beside a peer or the limit of the machine in the same run, and at full scale
// writes docs/numbers/NAME.json.
//
//	go run ./bench                     list the proofs
//	go run ./bench NAME                run one at full scale and write its file
//	go run ./bench -scale 0.01 all     run all small, as CI does, and check that
//	                                   every proof has its file
//
// A claim that does not hold at full scale is written down as such, and the
// exit code is 1. At a smaller scale no claim is judged.
package main
