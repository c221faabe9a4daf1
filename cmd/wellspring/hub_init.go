package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"os"

	ws "wellspring"
	"wellspring/disk"
	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/mesh/broker"
)

// defaultListen is where a hub listens that was not told otherwise.
const defaultListen = ":7422"

// brokerStorage bounds what the inboxes hold in servers of others, in bytes, all copies together.
const brokerStorage = 256 << 30

// hubInit founds a network.
func hubInit(ctx context.Context, args []string, c *console) error {
	var dir, name, listen, websocket, jurisdiction string
	var addresses, brokers []string
	var roots string
	f := flags("hub init --dir DIR --name CHAIN", c)
	f.text(&dir, "dir", "DIR", ws.T("the hub's new folder, its owner's alone", "枢纽的新文件夹，仅属主可读"))
	f.text(&name, "name", "CHAIN", ws.T("the network's name: small letters, digits and '-'", "网络名称：小写字母、数字和“-”"))
	f.text(&listen, "listen", "HOST:PORT", ws.T("where members connect by TLS; port 0: the system chooses once; default :7422", "成员以 TLS 连接的地址；端口 0 表示由系统选定一次；默认 :7422"))
	f.text(&websocket, "websocket", "HOST:PORT", ws.T("where they connect by WebSocket, too, as in :443, for firewalls that let nothing else out", "同时以 WebSocket 提供连接的地址，如 :443，供只放行该端口的防火墙使用"))
	f.list(&addresses, "address", "NAME", ws.T("a DNS name or address by which members reach the hub, the first first; that of --listen or this machine's name otherwise", "成员访问枢纽所用的域名或地址，首个优先；默认取 --listen 的主机或本机名"))
	f.list(&brokers, "broker", "URL", ws.T("a NATS server that others run, tls://HOST:PORT or wss://HOST:PORT, in place of the hub's own; one, or three or more of a cluster", "他人运行的 NATS 服务器，tls://HOST:PORT 或 wss://HOST:PORT，用以取代枢纽自带的服务器；一台，或集群中的三台及以上"))
	f.text(&roots, "broker-ca", "FILE", ws.T("certificates in PEM by which those servers are known; the system's otherwise", "用以识别这些服务器的 PEM 证书；默认采用系统证书"))
	f.text(&jurisdiction, "jurisdiction", "CODE", ws.T("the centre's country by ISO 3166; default CN", "中心所在国家的 ISO 3166 代码；默认 CN"))
	if err := f.parse(args); err != nil {
		return err
	}
	if dir == "" || name == "" || f.NArg() > 0 {
		return usage(ws.T("hub init wants --dir and --name", "hub init 须给出 --dir 和 --name"))
	}
	h, err := place(listen, websocket, addresses)
	if len(brokers) > 0 || roots != "" {
		if listen != "" || websocket != "" || len(addresses) > 0 {
			return usage(ws.T("--broker stands in place of --listen, --websocket and --address", "--broker 用以取代 --listen、--websocket 和 --address"))
		}
		h, err = outside(brokers, roots)
	}
	if err != nil {
		return err
	}
	d, err := makeFolder(dir)
	if err != nil {
		return err
	}
	n, err := d.found(ctx, name, ledger.Jurisdiction(or(jurisdiction, "CN")))
	if err != nil {
		return err
	}
	if err := writeJSONFile(d.path(networkName), n, 0o644); err != nil {
		return err
	}
	if err := d.serverConfig(h); err != nil {
		return err
	}
	if err := d.writeJSON(hubName, h); err != nil { // the last: without it there is no hub here
		return err
	}
	c.say(ws.T("the network %s is founded; genesis:\n  %s", "网络 %s 已建立；创世摘要：\n  %s", name, fingerprint(n.Genesis)))
	if len(h.Brokers) > 0 {
		c.say(ws.T("give %s to whoever runs the NATS servers; hub run wants them to be up", "请将 %s 交给 NATS 服务器的管理员；执行 hub run 前须先启动这些服务器", d.path(natsName)))
	}
	c.say(ws.T("give %s to each hospital, and read the genesis out to it", "请将 %s 交给各医院，并口头核对创世摘要", d.path(networkName)))
	return nil
}

// outside reads where the servers of others are.
func outside(urls []string, roots string) (h hubFile, err error) {
	h.Brokers = urls
	if roots != "" {
		pem, err := readFile(roots)
		if err != nil {
			return h, err
		}
		h.BrokerRoots = string(pem)
	}
	return h, h.cluster("", nil).Validate()
}

// serverConfig writes what servers of others need to serve this hub.
func (d folder) serverConfig(h hubFile) error {
	if len(h.Brokers) == 0 {
		return nil
	}
	a, err := broker.OpenAuthority(d.path("broker", "keys"))
	if err != nil {
		return err
	}
	conf, err := a.ServerConfig(brokerStorage)
	if err != nil {
		return err
	}
	return folderTrouble(disk.Write(d.path(natsName), 0o644, []byte(conf)))
}

// place finds where the hub listens and by which names it is reached.
func place(listen, websocket string, addresses []string) (h hubFile, err error) {
	host, port, err := listenAt("listen", or(listen, defaultListen))
	if err != nil {
		return h, err
	}
	h.Listen = net.JoinHostPort(host, port)
	if websocket != "" {
		on, port, err := listenAt("websocket", websocket)
		if err != nil {
			return h, err
		}
		h.WebSocket = net.JoinHostPort(on, port)
	}
	if len(addresses) == 0 {
		name := host
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			if name, err = os.Hostname(); err != nil {
				return h, usage(ws.T("give --address: the name by which members reach the hub", "请用 --address 给出成员访问枢纽所用的名称"))
			}
		}
		addresses = []string{name}
	}
	h.Addresses = addresses
	return h, nil
}

// listenAt reads where to listen, from the flag of that name.
func listenAt(flag, at string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(at)
	if err == nil && port == "0" {
		port, err = freePort(host)
	}
	if err != nil || !goodPort(port) {
		return "", "", usage(ws.T("--%s wants HOST:PORT, on this machine", "--%s 的格式为本机的 HOST:PORT", flag))
	}
	return host, port, nil
}

// freePort has the system choose a port, which then stands in every pass.
func freePort(host string) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// found makes the keys and the ledger's first records: the genesis, the centre
// as an institution, and the hub as its site.
func (d folder) found(ctx context.Context, name string, j ledger.Jurisdiction) (n networkFile, err error) {
	var keys []ed25519.PrivateKey
	for _, k := range []string{operatorKey, institutionKey, nodeKey} {
		key, err := d.makeKey(k)
		if err != nil {
			return n, err
		}
		keys = append(keys, key)
	}
	operator, centre, node := keys[0], keys[1], keys[2]
	l, err := file.Open(d.path(ledgerName))
	if err != nil {
		return n, err
	}
	defer l.Close()
	genesis := &ledger.Genesis{Operator: publicOf(operator), Suite: ledger.Intl}
	rand.Read(genesis.Nonce[:]) // never fails
	if err := record(ctx, l, ledger.ChainID(name), operator, genesis); err != nil {
		return n, err
	}
	chain, _ := l.State().Chain()
	admit, err := institutionBody(chain.ID, hubInstitution, ledger.Centre, j, centre)
	if err != nil {
		return n, err
	}
	if err := record(ctx, l, chain.ID, operator, admit); err != nil {
		return n, err
	}
	site, err := siteBody(chain.ID, broker.HubSite, node)
	if err != nil {
		return n, err
	}
	return networkFile{Chain: chain.ID, Genesis: chain.Genesis, Hub: broker.HubSite, HubKey: publicOf(node)}, record(ctx, l, chain.ID, centre, site)
}

// record signs the next transaction of a key and submits it.
func record(ctx context.Context, l ledger.Ledger, chain ledger.ChainID, key ed25519.PrivateKey, body ledger.Body) error {
	tx, err := ledger.Sign(chain, l.State().Seq(publicOf(key).ID())+1, body, key)
	if err == nil {
		_, err = l.Submit(ctx, tx)
	}
	return err
}

func institutionBody(chain ledger.ChainID, name ws.Institution, c ledger.Category, j ledger.Jurisdiction, key ed25519.PrivateKey) (*ledger.SetInstitution, error) {
	p, err := ledger.Possession(chain, ledger.ByInstitution, string(name), key)
	return &ledger.SetInstitution{Act: ledger.Admit, Category: c, Institution: name, Jurisdiction: j, Key: publicOf(key), Possession: p}, err
}

func siteBody(chain ledger.ChainID, id ws.SiteID, key ed25519.PrivateKey) (*ledger.SetSite, error) {
	p, err := ledger.Possession(chain, ledger.BySite, string(id), key)
	return &ledger.SetSite{Act: ledger.Admit, Key: publicOf(key), Possession: p, Site: id}, err
}
