package journal

import (
	"sync"

	"wellspring/run"
)

// Memory is a journal in the process, for tests and light rehearsals. Its zero
// value is empty and ready.
type Memory struct {
	mu      sync.Mutex
	records map[string][]byte
}

// Save keeps copies of records.
func (m *Memory) Save(list ...run.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil {
		m.records = make(map[string][]byte)
	}
	for _, r := range list {
		m.records[r.Key] = append([]byte(nil), r.Bytes...)
	}
	return nil
}

// Load returns a copy of the record under key; nil if there is none.
func (m *Memory) Load(key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.records[key]
	if !ok {
		return nil, nil
	}
	return append([]byte{}, b...), nil
}

// Erase removes records.
func (m *Memory) Erase(keys ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		delete(m.records, key)
	}
	return nil
}
