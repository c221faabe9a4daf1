package main

import (
	"context"
	"net"
	"slices"
	"strconv"

	ws "wellspring"
	"wellspring/mesh/broker"
)

// runHub is "wellspring hub init|admit|run|requester".
func runHub(ctx context.Context, args []string, c *console) error {
	return subcommand(ctx, "hub", map[string]func(context.Context, []string, *console) error{"init": hubInit, "admit": hubAdmit, "run": hubRun, "console": hubConsole, "requester": hubRequester,
		"renew": hubRenew, "suspend": hubSuspend, "reinstate": hubReinstate}, hubUsage, args, c)
}

// subcommand runs the one that args name.
func subcommand(ctx context.Context, name string, all map[string]func(context.Context, []string, *console) error, help ws.Text, args []string, c *console) error {
	if len(args) > 0 {
		if slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
			c.say(help)
			return nil
		}
		if run, ok := all[args[0]]; ok {
			return run(ctx, args[1:], c)
		}
	}
	return ws.Errorf(ws.Invalid, "", ws.T("%s wants a subcommand", "%s 之后须有子命令", name)).
		WithHint(ws.T("see: wellspring %s help", "参见：wellspring %s help", name))
}

var hubUsage = ws.T(`Usage:
  wellspring hub init --dir DIR --name CHAIN [--listen HOST:PORT] [--websocket HOST:PORT] [--address NAME]...
                                         found a network: keys, ledger, and DIR/network.json for hospitals
  wellspring hub init --dir DIR --name CHAIN --broker URL... [--broker-ca FILE]
                                         the same over NATS servers that others run, by DIR/nats.conf
  wellspring hub admit request.json --dir DIR --out pass.json
                                         put a hospital on the ledger and write its pass
  wellspring hub run --dir DIR [--patience 2m] [--metrics HOST:PORT] [--log json] [--min-free 256MiB]
                                         serve until Ctrl-C; a site that is silent for so long
                                         in a run is given up (hours, where files are carried)
  wellspring hub console --dir DIR [--listen 127.0.0.1:7423]
                                         the operator's pages, in a browser on this machine
  wellspring hub suspend|reinstate INSTITUTION --dir DIR
                                         have nothing of an institution count, or count again
  wellspring hub renew node|institution|operator --dir DIR
                                         a new key in place of the present one
  wellspring hub requester admit|renew me.pub --dir DIR
                                         put a researcher of the centre, or a new key, on the ledger
  wellspring hub requester end ACCOUNT --dir DIR`,
	`用法：
  wellspring hub init --dir DIR --name CHAIN [--listen HOST:PORT] [--websocket HOST:PORT] [--address NAME]...
                                         建立网络：生成密钥与账本，以及交给各医院的 DIR/network.json
  wellspring hub init --dir DIR --name CHAIN --broker URL... [--broker-ca FILE]
                                         同上，但使用他人运行的 NATS 服务器，其配置见 DIR/nats.conf
  wellspring hub admit request.json --dir DIR --out pass.json
                                         将医院登记到账本，并写出其通行证
  wellspring hub run --dir DIR [--patience 2m] [--metrics HOST:PORT] [--log json] [--min-free 256MiB]
                                         提供服务，直至 Ctrl-C；站点在计算中静默超过此时长
                                         即被放弃（靠文件传递时应以小时计）
  wellspring hub console --dir DIR [--listen 127.0.0.1:7423]
                                         运营方的页面，在本机浏览器中打开
  wellspring hub suspend|reinstate INSTITUTION --dir DIR
                                         暂停或恢复一家机构
  wellspring hub renew node|institution|operator --dir DIR
                                         以新密钥取代现用密钥
  wellspring hub requester admit|renew me.pub --dir DIR
                                         将中心的研究人员或其新密钥登记到账本
  wellspring hub requester end ACCOUNT --dir DIR
                                         终止其账户`)

// A hubFile is a hub's own configuration: a server of its own, or Brokers that others run.
type hubFile struct {
	// Listen is host:port for members' TLS connections.
	Listen string `json:"listen,omitempty"`
	// Addresses are the DNS names or addresses by which members reach the hub; the first stands in passes.
	Addresses []string `json:"addresses,omitempty"`
	// WebSocket is host:port for the same by WebSocket, for members whose firewall knows port 443 alone; "" for none.
	WebSocket string `json:"websocket,omitempty"`
	// Brokers are the URLs of NATS servers that others run.
	Brokers []string `json:"brokers,omitempty"`
	// BrokerRoots are the certificates, in PEM, by which those are known; "" stands for the system's.
	BrokerRoots string `json:"broker_roots,omitempty"`
}

// cluster is where the servers of others are.
func (h hubFile) cluster(d folder, members []broker.Member) broker.ClusterConfig {
	return broker.ClusterConfig{Keys: d.path("broker", "keys"), URLs: h.Brokers, Roots: h.BrokerRoots, Members: members}
}

// urls are what passes say of where the hub's own server is; the broker says the same when it runs.
func (h hubFile) urls() []string {
	_, port, _ := net.SplitHostPort(h.Listen)
	urls := []string{"tls://" + net.JoinHostPort(h.Addresses[0], port)}
	if _, port, err := net.SplitHostPort(h.WebSocket); err == nil {
		urls = append(urls, "wss://"+net.JoinHostPort(h.Addresses[0], port))
	}
	return urls
}

func (d folder) hub() (h hubFile, err error) {
	hub, err := d.isHub()
	if err == nil && !hub {
		err = ws.Errorf(ws.Invalid, "", ws.T("the folder holds a site, not a hub", "该文件夹中是站点而非枢纽"))
	}
	if err == nil {
		err = readJSONFile(d.path(hubName), &h)
	}
	if err == nil && len(h.Brokers) > 0 {
		return h, h.cluster(d, nil).Validate()
	}
	if _, port, bad := net.SplitHostPort(h.Listen); err == nil && (bad != nil || len(h.Addresses) == 0 || !goodPort(port)) {
		err = ws.Errorf(ws.Invalid, "", ws.T("listen is host:port, and there is an address", "listen 须为 主机:端口，且须有地址")).Located(ws.Position{File: d.path(hubName)})
	}
	return h, err
}

func goodPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0 && n < 1<<16
}
