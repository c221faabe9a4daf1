package journal

import "sync"

// Memory is a journal in the process, for tests and light rehearsals. Its zero
// value is empty and ready.
type Memory struct {
	mu      sync.Mutex
	records map[string][]byte
}

// Save keeps a copy of b under key.
func (m *Memory) Save(key string, b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil {
		m.records = make(map[string][]byte)
	}
	m.records[key] = append([]byte(nil), b...)
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

// Erase removes the record under key, if there is one.
func (m *Memory) Erase(key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, key)
	return nil
}
