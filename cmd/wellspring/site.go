package main

import (
	"context"

	ws "wellspring"
)

// runSite is "wellspring site ...".
func runSite(ctx context.Context, args []string, c *console) error {
	return subcommand(ctx, "site", map[string]func(context.Context, []string, *console) error{
		"init": siteInit, "join": siteJoin, "run": siteRun, "relay": siteRelay, "load": siteLoad, "dataset": siteDataset, "peers": sitePeers, "pin": sitePin,
		"studies": siteStudies, "console": siteConsole, "approve": siteApprove, "refuse": siteRefuse, "withdraw": siteWithdraw, "outbox": siteOutbox, "release": siteRelease, "requester": siteRequester, "renew": siteRenew, "end": siteEnd, "network": siteNetwork, "askers": siteAskers,
	}, siteUsage, args, c)
}

var siteUsage = ws.T(`Usage:
  wellspring site init --dir DIR --site NAME --institution NAME --network network.json
                                         make keys, and DIR/request.json for the operator
  wellspring site init --dir DIR --site NAME --of DIR
                                         the same for another site of that running site's institution
  wellspring site join pass.json --dir DIR
                                         take the pass that the operator gave
  wellspring site run --dir DIR [--metrics HOST:PORT] [--log json] [--min-free 256MiB]
                                         serve until Ctrl-C
  wellspring site run --dir DIR --exchange IN OUT [--every 10m]
                                         serve without a network, by signed files in two folders
  wellspring site relay --pass DIR/pass.json --exchange IN OUT [--every 10m]
                                         the outer part of such a site: files to and from the hub
  wellspring site console --dir DIR [--listen 127.0.0.1:7423] [--for studies|releases]
                                         the steward's pages, in a browser on this machine
  wellspring site load NAME FILE --dir DIR [--dictionary FILE] [--policy FILE]
                                         load a CSV or Parquet file as the draft of a dataset
  wellspring site dataset freeze NAME --dir DIR
                                         freeze the draft into the next version, for ever
  wellspring site peers --dir DIR        the other sites, their fingerprints, and which are pinned
  wellspring site pin PEER FINGERPRINT --dir DIR
                                         say that a peer's fingerprint was compared out of band
  wellspring site studies --dir DIR      studies, and what was decided
  wellspring site approve|refuse|withdraw STUDY --dir DIR
  wellspring site outbox [RUN] --dir DIR answers that a person here must release, and what to look at
  wellspring site release approve|refuse RUN --dir DIR [--reason TEXT]
  wellspring site release suppress RUN --part ID --dir DIR
                                         release what is left without an analysis
  wellspring site release ask RUN --reason TEXT --dir DIR
                                         ask the requester before deciding
  wellspring site askers --dir DIR [--let INSTITUTION --dataset NAME]
                                         whose questions this site remembers; let them ask on
  wellspring site requester admit|renew me.pub --dir DIR
                                         put a researcher of this institution, or a new key, on the ledger
  wellspring site requester end ACCOUNT --dir DIR
  wellspring site renew node|institution|pass --dir DIR
                                         a new key, or a request for a new pass, in place of the present one
  wellspring site network network.json --dir DIR
                                         take a new key of the hub, which was compared by telephone
  wellspring site end SITE --dir DIR     end a site of this institution, for ever`,
	`用法：
  wellspring site init --dir DIR --site NAME --institution NAME --network network.json
                                         生成密钥，以及交给运营方的 DIR/request.json
  wellspring site init --dir DIR --site NAME --of DIR
                                         同上，为该运行中站点所属机构另设一个站点
  wellspring site join pass.json --dir DIR
                                         接受运营方给出的通行证
  wellspring site run --dir DIR [--metrics HOST:PORT] [--log json] [--min-free 256MiB]
                                         提供服务，直至 Ctrl-C
  wellspring site run --dir DIR --exchange IN OUT [--every 10m]
                                         不联网，以两个文件夹中的签名文件提供服务
  wellspring site relay --pass DIR/pass.json --exchange IN OUT [--every 10m]
                                         上述站点的外侧部分：在文件与枢纽之间传递
  wellspring site console --dir DIR [--listen 127.0.0.1:7423] [--for studies|releases]
                                         数据管理员的页面，在本机浏览器中打开
  wellspring site load NAME FILE --dir DIR [--dictionary FILE] [--policy FILE]
                                         载入 CSV 或 Parquet 文件，作为数据集草稿
  wellspring site dataset freeze NAME --dir DIR
                                         将草稿冻结为下一版本，永不更改
  wellspring site peers --dir DIR        其他站点、其指纹，以及哪些已固定
  wellspring site pin PEER FINGERPRINT --dir DIR
                                         声明已通过其他渠道核对对方指纹
  wellspring site studies --dir DIR      各项研究及已作的决定
  wellspring site approve|refuse|withdraw STUDY --dir DIR
                                         批准、拒绝或撤回
  wellspring site outbox [RUN] --dir DIR 须由本机构人员放行的结果，以及应审看之处
  wellspring site release approve|refuse RUN --dir DIR [--reason TEXT]
                                         放行或拒绝放行结果
  wellspring site release suppress RUN --part ID --dir DIR
                                         隐去某一分析后放行其余部分
  wellspring site release ask RUN --reason TEXT --dir DIR
                                         先向请求者询问，再作决定
  wellspring site askers --dir DIR [--let INSTITUTION --dataset NAME]
                                         本站点记住了谁的提问；放行其继续提问
  wellspring site requester admit|renew me.pub --dir DIR
                                         将本机构的研究人员或其新密钥登记到账本
  wellspring site requester end ACCOUNT --dir DIR
                                         终止其账户
  wellspring site renew node|institution|pass --dir DIR
                                         以新密钥取代现用密钥，或申请新通行证
  wellspring site network network.json --dir DIR
                                         接受枢纽的新密钥（已通过电话核对）
  wellspring site end SITE --dir DIR     永久终止本机构的一个站点`)

// A siteFile is a site's own configuration.
type siteFile struct {
	Site        ws.SiteID      `json:"site"`
	Institution ws.Institution `json:"institution"`
}

func (d folder) site() (s siteFile, err error) {
	hub, err := d.isHub()
	if err == nil && hub {
		err = ws.Errorf(ws.Invalid, "", ws.T("the folder holds a hub, not a site", "该文件夹中是枢纽而非站点"))
	}
	if err == nil {
		err = readJSONFile(d.path(siteName), &s)
	}
	return s, err
}

// siteDir parses the flags of a command that takes --dir and n words, -1 for any
// number of them, and opens the folder.
func siteDir(f *flagSet, args []string, n int) (folder, siteFile, error) {
	var dir string
	f.text(&dir, "dir", "DIR", ws.T("the site's folder", "站点的文件夹"))
	if err := f.parseMixed(args); err != nil {
		return "", siteFile{}, err
	}
	if dir == "" || n >= 0 && f.NArg() != n {
		return "", siteFile{}, ws.Errorf(ws.Invalid, "", ws.T("the command wants: wellspring %s", "该命令的用法：wellspring %s", f.synopsis)).
			WithHint(ws.T("see: wellspring %s --help", "参见：wellspring %s --help", f.name()))
	}
	d := folder(dir)
	s, err := d.site()
	return d, s, err
}
