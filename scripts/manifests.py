#!/usr/bin/env python3
"""Holds the manifests of examples/kubernetes against examples/kubernetes/schema.json and against what docs/scaling.md says of their values; then spoils
them in every way that it knows, and each must be refused. Needs nothing: the YAML that the manifests keep to, and the JSON schema that they need, are
read here. Where PyYAML and jsonschema are installed they must say the same.

    manifests.py [FILE...]"""
import copy
import json
import re
import sys
from pathlib import Path

PLACE = Path(__file__).resolve().parent.parent / "examples/kubernetes"
# Of a handoff, by default (ps_handoff_set_timeout), seconds: how long it may be silent (SEAL is set to what LIVE is), and how long a standby may wait.
SILENT, STANDBY = 10, 12


class Wrong(Exception):
    pass


# ---- as much of YAML as the manifests need: blocks, flow in one line, plain and double-quoted scalars, comments ----

TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[\[\]{},]|[^\s\[\]{},"][^\[\]{},]*)')


def scalar(text):
    if text.startswith('"'):
        return json.loads(text)
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "~", "null"):
        return None
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def flow(text):
    """One value in one line."""
    if text[:1] not in ("{", "["):
        return scalar(text)
    tokens = [match.group(1).strip() for match in TOKEN.finditer(text)]

    def value(at):
        if tokens[at] == "[":
            found, at = [], at + 1
            while tokens[at] != "]":
                item, at = value(at)
                found.append(item)
                at += tokens[at] == ","
            return found, at + 1
        if tokens[at] == "{":
            found, at = {}, at + 1
            while tokens[at] != "}":
                name, _, rest = tokens[at].partition(":")
                if rest.strip():
                    found[name.strip()], at = scalar(rest.strip()), at + 1
                else:
                    found[name.strip()], at = value(at + 1)
                at += tokens[at] == ","
            return found, at + 1
        return scalar(tokens[at]), at + 1

    return value(0)[0]


def block(lines, at, depth):
    """The lines from `at` that stand `depth` deep or deeper."""
    if lines[at][1].startswith("- ") or lines[at][1] == "-":
        found = []
        while at < len(lines) and lines[at][0] == depth and lines[at][1].startswith("-"):
            rest = lines[at][1][1:].lstrip()
            inner = depth + len(lines[at][1]) - len(rest)
            if re.match(r'[^\[{"][^{}\[\]]*?:(\s|$)', rest):
                lines[at] = (inner, rest)
                item, at = block(lines, at, inner)
            else:
                item, at = flow(rest), at + 1
            found.append(item)
        return found, at
    found = {}
    while at < len(lines) and lines[at][0] == depth:
        name, _, rest = lines[at][1].partition(":")
        if name in found:
            raise Wrong(f"{name} stands there twice")
        at += 1
        if rest.strip():
            found[name] = flow(rest.strip())
        elif at < len(lines) and (lines[at][0] > depth or lines[at][0] == depth and lines[at][1].startswith("-")):
            found[name], at = block(lines, at, lines[at][0])
        else:
            found[name] = None
    return found, at


def documents(text):
    for part in re.split(r"^---$", text, flags=re.MULTILINE):
        lines = [re.sub(r"(^|\s)#.*", "", line).rstrip() for line in part.splitlines()]
        lines = [(len(line) - len(line.lstrip()), line.lstrip()) for line in lines if line.strip()]
        if lines:
            found, at = block(lines, 0, 0)
            if at != len(lines):
                raise Wrong(f"does not belong there: {lines[at][1]}")
            yield found


# ---- as much of JSON schema as the schema needs ----

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


def check(value, schema, whole, where):
    if "$ref" in schema:
        return check(value, whole["definitions"][schema["$ref"].rsplit("/", 1)[1]], whole, where)
    if "oneOf" in schema:
        faults = []
        for one in schema["oneOf"]:
            try:
                check(value, one, whole, where)
            except Wrong as fault:
                faults.append(str(fault))
        if len(schema["oneOf"]) - len(faults) != 1:
            raise Wrong(max(faults, key=len) if faults else f"{where}: is two things at once")
        return None
    if "enum" in schema and value not in schema["enum"]:
        raise Wrong(f"{where}: {value!r} is none of {schema['enum']}")
    kind = TYPES.get(schema.get("type"))
    if kind and (not isinstance(value, kind) or kind is int and isinstance(value, bool)):
        raise Wrong(f"{where}: {value!r} is no {schema['type']}")
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        raise Wrong(f"{where}: {value!r} does not look like {schema['pattern']}")
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        raise Wrong(f"{where}: {value} is out of range")
    if isinstance(value, list):
        for index, item in enumerate(value):
            check(item, schema.get("items", {}), whole, f"{where}[{index}]")
    if isinstance(value, dict):
        missing = [name for name in schema.get("required", []) if name not in value]
        if missing:
            raise Wrong(f"{where}: without {', '.join(missing)}")
        for name, item in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            if inner is False:
                raise Wrong(f"{where}: there is no field {name}")
            check(item, inner, whole, f"{where}.{name}")
    return None


# ---- what docs/scaling.md says ----

def seconds_until_killed(probe):
    return probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)


def check_sense(manifests):
    pods = {}
    for it in manifests:
        if it["kind"] in ("Deployment", "StatefulSet"):
            template, name = it["spec"]["template"], it["metadata"]["name"]
            labels = template["metadata"]["labels"]
            pods[name] = (labels, template["spec"])
            if not it["spec"]["selector"]["matchLabels"].items() <= labels.items():
                raise Wrong(f"{name}: its selector does not select its pods")
            check_pod(name, template["spec"], it["spec"].get("volumeClaimTemplates", []))
    for it in manifests:
        if it["kind"] in ("Service", "PodDisruptionBudget"):
            selector = it["spec"]["selector"]
            selector = selector.get("matchLabels", selector)
            chosen = [spec for labels, spec in pods.values() if selector.items() <= labels.items()]
            if len(chosen) != 1:
                raise Wrong(f"{it['kind']} {it['metadata']['name']}: selects {len(chosen)} of what is here")
            ports = {port.get("name") for container in chosen[0]["containers"] for port in container.get("ports", [])}
            for port in it["spec"].get("ports", []):
                if isinstance(port.get("targetPort"), str) and port["targetPort"] not in ports:
                    raise Wrong(f"{it['metadata']['name']}: nobody has the port {port['targetPort']}")
        if it["kind"] == "StatefulSet" and not any(other["kind"] == "Service" and other["metadata"]["name"] == it["spec"]["serviceName"] for other in manifests):
            raise Wrong(f"{it['metadata']['name']}: its serviceName is no Service of these")


def check_pod(name, spec, claims):
    volumes = {volume["name"] for volume in spec.get("volumes", [])} | {claim["metadata"]["name"] for claim in claims}
    for container in spec["containers"] + spec.get("initContainers", []):
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                raise Wrong(f"{name}: there is no volume {mount['name']}")
    for container in spec["containers"]:
        ports = {port.get("name") for port in container.get("ports", [])}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container.get(kind)
            if not probe:
                raise Wrong(f"{name}: without {kind}")
            if probe["httpGet"]["port"] not in ports:
                raise Wrong(f"{name}: {kind} asks at no port of its container")
        if seconds_until_killed(container["livenessProbe"]) <= SILENT:
            raise Wrong(f"{name}: livenessProbe kills within {SILENT} s, in which a handoff may be silent")
        command = container["command"]
        if command[0] != "/usr/bin/container":
            raise Wrong(f"{name}: its first process does not stay: {command[0]}")
        if "--watchdog" in command and int(command[command.index("--watchdog") + 1]) <= SILENT * 1000:
            raise Wrong(f"{name}: --watchdog kills within {SILENT} s, in which a handoff may be silent")
        stop = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if spec.get("terminationGracePeriodSeconds", 30) < stop + STANDBY + 10:
            raise Wrong(f"{name}: terminationGracePeriodSeconds is less than preStop, what a standby may wait ({STANDBY} s) and ten seconds to finish")
        resources = container["resources"]
        asked, limit = ((int(text[:-2]) * {"Mi": 1, "Gi": 1024}[text[-2:]]) for text in (resources["requests"]["memory"], resources["limits"]["memory"]))
        if limit < 2 * asked:
            raise Wrong(f"{name}: the memory limit does not hold two generations")


def check_all(manifests, schema):
    for it in manifests:
        check(it, schema, schema, str(it.get("kind")))
    check_sense(manifests)


# ---- the checks, checked ----

def spoiled(manifests):
    """The same with one thing wrong, each in its turn: a field that is misspelt, missing, of another type, or a value that makes no sense."""
    def paths(value, at=()):
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from paths(inner, (*at, name))
                yield (*at, name)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from paths(inner, (*at, index))

    def free(path):
        return any(name in ("labels", "matchLabels", "annotations") for name in path) or path[-1] in ("selector",)

    for index, it in enumerate(manifests):
        for path in paths(it):
            if free(path):
                continue
            for what in ("misspelt", "typed"):
                made = copy.deepcopy(manifests)
                holder = made[index]
                for step in path[:-1]:
                    holder = holder[step]
                if what == "misspelt":
                    holder[path[-1] + "x"] = holder.pop(path[-1])
                else:
                    holder[path[-1]] = 1.5
                yield f"{what}: {'.'.join(map(str, path))}", made


SENSELESS = [
    ("liveness", lambda pod, it: pod["containers"][0]["livenessProbe"].update(periodSeconds=1)),
    ("grace", lambda pod, it: pod.update(terminationGracePeriodSeconds=15)),
    ("memory", lambda pod, it: pod["containers"][0]["resources"]["limits"].update(memory="600Mi")),
    ("first process", lambda pod, it: pod["containers"][0].update(command=["/usr/bin/kv"])),
    ("port", lambda pod, it: pod["containers"][0]["ports"][0].update(name="web")),
    ("selector", lambda pod, it: it["spec"]["selector"]["matchLabels"].update(app="other")),
    ("probe", lambda pod, it: pod["containers"][0].pop("startupProbe")),
]


def refuse(manifests, schema, name, what):
    try:
        check_all(manifests, schema)
    except (Wrong, KeyError):
        return
    raise Wrong(f"{name}: passes though spoiled ({what})")


def main():
    schema = json.loads((PLACE / "schema.json").read_text())
    files = [Path(name) for name in sys.argv[1:]] or sorted(PLACE.glob("*.yaml"))
    try:
        import yaml
    except ImportError:
        yaml = None
    try:
        import jsonschema
    except ImportError:
        jsonschema = None
    count = refused = 0
    for file in files:
        try:
            manifests = list(documents(file.read_text()))
            check_all(manifests, schema)
            if yaml and list(yaml.safe_load_all(file.read_text())) != manifests:
                raise Wrong("PyYAML reads something else")
            if jsonschema:
                for it in manifests:
                    jsonschema.validate(it, schema)
            for what, made in spoiled(manifests):
                refuse(made, schema, file.name, what)
                refused += 1
            for what, spoil in SENSELESS:
                made = copy.deepcopy(manifests)
                spoil(made[0]["spec"]["template"]["spec"], made[0])
                refuse(made, schema, file.name, what)
                refused += 1
        except Wrong as fault:
            print(f"{file}: {fault}")
            return 1
        count += len(manifests)
    print(f"{count} manifests are what they should be, {refused} spoiled ones are refused; " +
          " and ".join(f"{name} {'agrees' if there else 'is not here'}" for name, there in (("PyYAML", yaml), ("jsonschema", jsonschema))))
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main())
