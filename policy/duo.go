package policy

import ws "wellspring"

// purposes are the terms of the Data Use Ontology (DUO, CC BY 4.0, GA4GH; Lawson
// et al. 2021, doi:10.1016/j.xgen.2021.100028) under which data are asked for or
// granted, by their labels.
var purposes = map[ws.Purpose]ws.Text{
	"DUO:0000004": ws.T("no restriction", "无限制"),
	"DUO:0000006": ws.T("health or medical or biomedical research", "健康、医学或生物医学研究"),
	"DUO:0000007": ws.T("disease specific research", "特定疾病研究"),
	"DUO:0000011": ws.T("population origins or ancestry research only", "仅限人群起源或祖源研究"),
	"DUO:0000016": ws.T("genetic studies only", "仅限遗传学研究"),
	"DUO:0000018": ws.T("not for profit, non commercial use only", "仅限非营利、非商业用途"),
	"DUO:0000019": ws.T("publication required", "须发表成果"),
	"DUO:0000020": ws.T("collaboration required", "须合作开展"),
	"DUO:0000021": ws.T("ethics approval required", "须经伦理批准"),
	"DUO:0000022": ws.T("geographical restriction", "地域限制"),
	"DUO:0000031": ws.T("method development", "方法开发"),
	"DUO:0000032": ws.T("population research", "人群研究"),
	"DUO:0000033": ws.T("ancestry research", "祖源研究"),
	"DUO:0000034": ws.T("age category research", "年龄类别研究"),
	"DUO:0000035": ws.T("gender category research", "性别类别研究"),
	"DUO:0000036": ws.T("research control", "研究对照"),
	"DUO:0000037": ws.T("biomedical research", "生物医学研究"),
	"DUO:0000038": ws.T("genetic research", "遗传学研究"),
	"DUO:0000039": ws.T("drug development research", "药物研发研究"),
	"DUO:0000040": ws.T("disease category research", "疾病类别研究"),
	"DUO:0000042": ws.T("general research use", "一般研究用途"),
	"DUO:0000043": ws.T("clinical care use", "临床诊疗用途"),
	"DUO:0000045": ws.T("not for profit organisation use only", "仅限非营利机构使用"),
	"DUO:0000046": ws.T("non-commercial use only", "仅限非商业用途"),
}

// PurposeLabel says what a DUO term means.
func PurposeLabel(p ws.Purpose) ws.Text {
	if t, known := purposes[p]; known {
		return t
	}
	return ws.T("a term that this release has no label for", "本版本没有该术语的标签")
}
