package study

import (
	_ "embed"
	"encoding/json"
	"math"

	ws "wellspring"
)

//go:embed result.schema.json
var resultSchema []byte

// ResultSchema returns the JSON Schema (2020-12) of the file result.json.
func ResultSchema() []byte { return resultSchema }

// A schema is a JSON Schema under construction.
type schema map[string]any

// Schema returns the JSON Schema (2020-12) of study files, made from [Methods]
// and the table of fields. What it refuses, Parse refuses too.
func Schema() []byte {
	analysis := schema{"type": "object", "required": []string{"method"},
		"properties": schema{"method": schema{"enum": methodNames()}}}
	defs := schema{"name": schema{"type": "string", "pattern": ws.NameForm}, "line": textSchema(maxName), "analysis": analysis}
	var choose []schema
	for _, m := range Methods {
		defs[m.Name] = m.schema()
		choose = append(choose, schema{"if": schema{"properties": schema{"method": schema{"const": m.Name}}},
			"then": schema{"$ref": "#/$defs/" + m.Name}})
	}
	analysis["allOf"] = choose
	several := schema{"type": "array", "minItems": 1, "maxItems": maxAnalyses,
		"items": schema{"$ref": "#/$defs/analysis", "required": []string{"id"}}}
	b, err := json.MarshalIndent(schema{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:wellspring:v1:study",
		"title": "Wellspring study / 泉源研究文件", "type": "object", "additionalProperties": false,
		"required": []string{"apiVersion", "kind", "metadata", "data"},
		"oneOf":    []schema{{"required": []string{"analysis"}}, {"required": []string{"analyses"}}},
		"properties": schema{
			"apiVersion": schema{"const": APIVersion}, "kind": schema{"const": Kind},
			"metadata": object([]string{"name"}, schema{"name": ref("name"), "title": object(nil, schema{"en": ref("line"), "zh": ref("line")})}),
			"purpose":  object(nil, schema{"duo": schema{"type": "array", "uniqueItems": true, "items": schema{"type": "string", "pattern": "^DUO:[0-9]{7}$"}}}),
			"data": object([]string{"dataset"}, schema{"dataset": ref("name"), "where": textSchema(maxFormula),
				"complete_over": schema{"type": "array", "uniqueItems": true, "items": ref("line")}}),
			"analysis": ref("analysis"), "analyses": several,
		},
		"$defs": defs,
	}, "", "  ")
	if err != nil {
		panic(err) // a map of our own constants
	}
	return append(b, '\n')
}

func ref(def string) schema { return schema{"$ref": "#/$defs/" + def} }

func textSchema(most int) schema {
	return schema{"type": "string", "minLength": 1, "maxLength": most}
}

func object(required []string, properties schema) schema {
	s := schema{"type": "object", "additionalProperties": false, "properties": properties}
	if required != nil {
		s["required"] = required
	}
	return s
}

func both(t ws.Text) string { return t.In(ws.English) + " / " + t.In(ws.Chinese) }

func (m Method) schema() schema {
	properties := schema{"id": ref("name"), "method": schema{"const": m.Name}}
	d := Analysis{Method: m.Name}.WithDefaults()
	for _, name := range m.Fields() {
		f := fieldNamed(name)
		p := f.schema()
		if value := f.of(&d); !f.isZero(value) && name != "link" {
			p["default"] = value
		}
		properties[name] = p
	}
	s := object(append([]string{"method"}, m.Required...), properties)
	s["title"] = both(m.Title)
	var one []schema
	for _, name := range m.OneOf {
		one = append(one, schema{"required": []string{name}})
	}
	if one != nil {
		s["oneOf"] = one
	}
	return s
}

func (f field) schema() schema {
	s := schema{}
	switch f.kind {
	case nameKind:
		s = textSchema(maxName)
	case textKind:
		s = textSchema(maxFormula)
	case choiceKind:
		s = schema{"enum": f.choices}
	case namesKind:
		s = schema{"type": "array", "minItems": 1, "maxItems": maxItems, "uniqueItems": true, "items": textSchema(maxName)}
	case numbersKind:
		s = schema{"type": "array", "minItems": 1, "maxItems": maxItems, "uniqueItems": true, "items": f.bounds("number")}
	case numberKind:
		s = f.bounds("number")
	case countKind:
		s = f.bounds("integer")
	case flagKind:
		s = schema{"type": "boolean"}
	}
	s["description"] = both(f.title)
	return s
}

func (f field) bounds(typ string) schema {
	s := schema{"type": typ}
	least, most := "minimum", "maximum"
	if f.open {
		least, most = "exclusiveMinimum", "exclusiveMaximum"
	}
	if !math.IsInf(f.lo, 0) {
		s[least], s[most] = f.lo, f.hi
	}
	return s
}
