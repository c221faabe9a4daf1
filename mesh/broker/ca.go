package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"wellspring/disk"
)

// A CA is the hub's own authority for certificates: ECDSA on P-256. Members pin it in
// their passes; nobody else need trust it.
type CA struct {
	PEM  []byte // the CA's certificate
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Lifetimes of certificates; a leaf is renewed, in the running server, when a third is left.
const (
	caLife   = 10 * 365 * 24 * time.Hour
	leafLife = 90 * 24 * time.Hour
)

func openCA(dir string) (*CA, error) {
	certPath, keyPath := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key")
	keyPEM, err := os.ReadFile(keyPath)
	if errors.Is(err, fs.ErrNotExist) {
		return makeCA(certPath, keyPath)
	}
	if err != nil {
		return nil, keyTrouble(err)
	}
	pair, err := tls.LoadX509KeyPair(certPath, keyPath)
	if err != nil {
		return nil, keyTrouble(err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || len(keyPEM) == 0 {
		return nil, keyTrouble(errors.New("the CA's key is not ECDSA"))
	}
	return &CA{PEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Leaf.Raw}), cert: pair.Leaf, key: key}, nil
}

func makeCA(certPath, keyPath string) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, keyTrouble(err)
	}
	t := template("Wellspring hub CA", caLife)
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, keyTrouble(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, keyTrouble(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, keyTrouble(err)
	}
	c := &CA{PEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), cert: cert, key: key}
	if err := disk.Write(certPath, 0o644, c.PEM); err != nil { // the key comes last: without it both are made anew
		return nil, keyTrouble(err)
	}
	if err := writeNew(keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b})); err != nil {
		return nil, keyTrouble(err)
	}
	return c, nil
}

func template(name string, life time.Duration) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // rand.Reader does not fail
	now := time.Now()
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life), KeyUsage: x509.KeyUsageDigitalSignature}
}

// Leaf makes a server's certificate for names and addresses.
func (c *CA) Leaf(names []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, keyTrouble(err)
	}
	t := template("Wellspring hub", leafLife)
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, c.cert, key.Public(), c.key)
	if err != nil {
		return nil, keyTrouble(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, keyTrouble(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, c.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// ServerTLS gives the configuration of a server under names: TLS 1.3 only, leaves renewed in time.
func (c *CA) ServerTLS(names []string) (*tls.Config, error) {
	first, err := c.Leaf(names)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	current := first
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		if time.Until(current.Leaf.NotAfter) < leafLife/3 {
			next, err := c.Leaf(names)
			if err != nil {
				return nil, err
			}
			current = next
		}
		return current, nil
	}}, nil
}
