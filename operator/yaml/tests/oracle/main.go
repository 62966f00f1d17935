// Oracle answers what Go's YAML and JSON libraries make of a text.
//
// Each line of standard input is {"op": …, "in": …}; each line of standard output is the same with "out" or "err".
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	v3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

type testCase struct {
	Op  string  `json:"op"`
	In  string  `json:"in"`
	Out *string `json:"out,omitempty"`
	Err *string `json:"err,omitempty"`
}

// value reads JSON with integers kept, which is what templates hold.
func value(in string) (any, error) {
	d := json.NewDecoder(strings.NewReader(in))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return typed(v), nil
}

func typed(v any) any {
	switch t := v.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(string(t), 10, 64); err == nil {
			return i
		}
		if i, err := strconv.ParseUint(string(t), 10, 64); err == nil {
			return i
		}
		f, _ := t.Float64()
		return f
	case []any:
		for i := range t {
			t[i] = typed(t[i])
		}
	case map[string]any:
		for k := range t {
			t[k] = typed(t[k])
		}
	}
	return v
}

func read(in string, into func([]byte) (any, error)) ([]byte, error) {
	v, err := into([]byte(in))
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func run(op, in string) ([]byte, error) {
	switch op {
	case "parse":
		return read(in, func(b []byte) (v any, err error) { err = yaml.Unmarshal(b, &v); return })
	case "parse_strict":
		return read(in, func(b []byte) (v any, err error) { err = yaml.UnmarshalStrict(b, &v); return })
	case "parse_map":
		return read(in, func(b []byte) (any, error) { v := map[string]any{}; return v, yaml.Unmarshal(b, &v) })
	case "parse_seq":
		return read(in, func(b []byte) (any, error) { v := []any{}; return v, yaml.Unmarshal(b, &v) })
	case "parse_exact":
		out, err := yaml.YAMLToJSON([]byte(in))
		if err != nil {
			err = fmt.Errorf("error converting YAML to JSON: %w", err)
		}
		return out, err
	case "parse_json":
		return read(in, func(b []byte) (v any, err error) { err = json.Unmarshal(b, &v); return })
	case "parse_json_map":
		return read(in, func(b []byte) (any, error) {
			v := map[string]any{}
			err := json.Unmarshal(b, &v)
			return v, err
		})
	case "parse_json_seq":
		return read(in, func(b []byte) (any, error) {
			v := []any{}
			err := json.Unmarshal(b, &v)
			return v, err
		})
	}
	v, err := value(in)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	switch op {
	case "to_yaml":
		return yaml.Marshal(v)
	case "to_yaml_pretty":
		e := v3.NewEncoder(&b)
		e.SetIndent(2)
		err = e.Encode(v)
		return b.Bytes(), err
	case "to_json":
		return json.Marshal(v)
	case "to_json_pretty":
		return json.MarshalIndent(v, "", "  ")
	case "to_json_raw":
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		err = e.Encode(v)
		return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
	}
	return nil, fmt.Errorf("unknown op %q", op)
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for in.Scan() {
		var c testCase
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			panic(err)
		}
		c.Out, c.Err = nil, nil
		if text, err := run(c.Op, c.In); err != nil {
			message := err.Error()
			c.Err = &message
		} else {
			answer := string(text)
			c.Out = &answer
		}
		if err := out.Encode(c); err != nil {
			panic(err)
		}
	}
}
