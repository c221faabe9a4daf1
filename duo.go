package wellspring

// purposes are the terms of the Data Use Ontology (DUO, CC BY 4.0, GA4GH; Lawson
// et al. 2021, doi:10.1016/j.xgen.2021.100028; release of 2021-02-23) under which data are
// asked for or granted, by their labels: permissions, modifiers and investigations, without the
// groups of terms above them.
var purposes = map[Purpose]Text{
	"DUO:0000004": T("no restriction", "无限制"),
	"DUO:0000006": T("health or medical or biomedical research", "健康、医学或生物医学研究"),
	"DUO:0000007": T("disease specific research", "特定疾病研究"),
	"DUO:0000011": T("population origins or ancestry research only", "仅限人群起源或祖源研究"),
	"DUO:0000012": T("research specific restrictions", "特定研究类型限制"),
	"DUO:0000015": T("no general methods research", "不得用于一般方法学研究"),
	"DUO:0000016": T("genetic studies only", "仅限遗传学研究"),
	"DUO:0000018": T("not for profit, non commercial use only", "仅限非营利、非商业用途"),
	"DUO:0000019": T("publication required", "须发表成果"),
	"DUO:0000020": T("collaboration required", "须合作开展"),
	"DUO:0000021": T("ethics approval required", "须经伦理批准"),
	"DUO:0000022": T("geographical restriction", "地域限制"),
	"DUO:0000024": T("publication moratorium", "发表须待指定日期之后"),
	"DUO:0000025": T("time limit on use", "使用期限"),
	"DUO:0000026": T("user specific restriction", "仅限获批用户"),
	"DUO:0000027": T("project specific restriction", "仅限获批项目"),
	"DUO:0000028": T("institution specific restriction", "仅限获批机构"),
	"DUO:0000029": T("return to database or resource", "结果须回交数据库"),
	"DUO:0000031": T("method development", "方法开发"),
	"DUO:0000032": T("population research", "人群研究"),
	"DUO:0000033": T("ancestry research", "祖源研究"),
	"DUO:0000034": T("age category research", "年龄类别研究"),
	"DUO:0000035": T("gender category research", "性别类别研究"),
	"DUO:0000036": T("research control", "研究对照"),
	"DUO:0000037": T("biomedical research", "生物医学研究"),
	"DUO:0000038": T("genetic research", "遗传学研究"),
	"DUO:0000039": T("drug development research", "药物研发研究"),
	"DUO:0000040": T("disease category research", "疾病类别研究"),
	"DUO:0000042": T("general research use", "一般研究用途"),
	"DUO:0000043": T("clinical care use", "临床诊疗用途"),
	"DUO:0000044": T("population origins or ancestry research prohibited", "禁止人群起源或祖源研究"),
	"DUO:0000045": T("not for profit organisation use only", "仅限非营利机构使用"),
	"DUO:0000046": T("non-commercial use only", "仅限非商业用途"),
}

// Label says what a DUO term means; the zero Text for one that DUO does not have.
func (p Purpose) Label() Text { return purposes[p] }
