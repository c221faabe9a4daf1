package rehearsal

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	ws "wellspring"
)

// keyFile holds a rehearsed site's ledger key: PKCS #8 in PEM, mode 0600.
const keyFile = "site.key"

// key reads the site's key, or makes one at its first run.
func (s Site) key() (ed25519.PrivateKey, error) {
	if s.Dir == "" {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, keyTrouble(err)
	}
	path := filepath.Join(s.Dir, keyFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, keyTrouble(err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, badKey()
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, badKey()
	}
	return key, nil
}

func makeKey(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, keyTrouble(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, keyTrouble(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, keyTrouble(err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, keyTrouble(err)
	}
	err = pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return key, keyTrouble(errors.Join(err, f.Close()))
}

func badKey() error {
	return ws.Errorf(ws.Invalid, "key", ws.T("the file %s holds no Ed25519 key", "文件 %s 中没有 Ed25519 密钥", keyFile)).
		WithHint(ws.T("remove it; the next run makes a new one", "请将其删除；下次计算会生成新的密钥"))
}

func keyTrouble(err error) error {
	if err == nil {
		return nil
	}
	return ws.Errorf(ws.Other, "key", ws.T("the site has no key", "站点没有密钥")).Wrap(err)
}
