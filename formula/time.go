package formula

// TimeColumn returns the column that is the time of Surv(time, event), or the
// stop of Surv(start, stop, event). ok is false where the response is no Surv,
// or its time is not a bare column.
func (m *Model) TimeColumn() (column string, ok bool) {
	if m.left == nil {
		return "", false
	}
	n := m.left.bare()
	if n.kind != call || n.text != "Surv" {
		return "", false
	}
	args, err := n.match(1, "time", "time2", "event")
	if err != nil {
		return "", false
	}
	stop := args[0]
	if args[1] != nil && args[2] != nil {
		stop = args[1]
	}
	if stop = stop.bare(); stop.kind != name {
		return "", false
	}
	return stop.text, true
}
