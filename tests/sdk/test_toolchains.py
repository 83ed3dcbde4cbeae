"""`wamr build` and `wamr new` with the compilers that are here, and the C library."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from apps.device import Device, run
from wamr.apps.attr_container import AttrContainer
from wamr.apps.attributes import from_dict, items
from wamr.apps.packet import GET, POST, PUT, Response
from wamr_cli import build as building
from wamr_cli import main, toolchains

from .test_samples import APPS, SAMPLES, ask, attributes, events, kinds, subscribe

ROOT = APPS.parent
ASC = APPS / "build" / "asc" / "node_modules" / ".bin"
FINDERS = {
    ".c": toolchains.find_c,
    ".rs": toolchains.find_rust,
    ".ts": lambda: toolchains.find_asc(APPS),
    ".zig": toolchains.find_zig,
}

pytestmark = pytest.mark.toolchain


@pytest.fixture(autouse=True)
def compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    """AssemblyScript is where `make -C apps` says to put it."""
    monkeypatch.setenv("PATH", str(ASC), prepend=":")


def need(suffix: str) -> None:
    try:
        FINDERS[suffix]()
    except toolchains.ToolError as error:
        pytest.skip(error.message)


def build(tmp_path: Path, source: Path, *options: str) -> bytes:
    need(source.suffix)
    output = tmp_path / f"{source.stem}.wasm"
    assert main(["build", str(source), "-o", str(output), *options]) == 0
    return output.read_bytes()


def c_app(tmp_path: Path, text: str, *options: str) -> bytes:
    source = tmp_path / "app.c"
    source.write_text(text)
    return build(tmp_path, source, *options)


def sources() -> list[Path]:
    return sorted(
        path
        for folder in SAMPLES
        for path in (APPS / folder).iterdir()
        if path.suffix in building.LANGUAGES
    )


# What the committed files were made with. Another version may well make other bytes.
VERSIONS = {
    ".c": (["clang", "--version"], "14.0.6"),
    ".rs": (["/usr/bin/rustc", "--version"], "1.63.0"),
    ".ts": ([str(ASC / "asc"), "--version"], "0.28.20"),
    ".zig": (["python", "-m", "ziglang", "version"], "0.17.1"),
}


def version(suffix: str) -> bool:
    command, wanted = VERSIONS[suffix]
    if command[0] == "python":
        command = [*toolchains.find_zig(), "version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return False
    return wanted in done.stdout


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.name)
def test_samples_are_what_their_sources_make(source: Path, tmp_path: Path) -> None:
    built = build(tmp_path, source)
    if not version(source.suffix):
        pytest.skip(f"it builds; the committed file was made with {VERSIONS[source.suffix][1]}")
    language = {".c": "", ".rs": "_rust", ".ts": "_ts", ".zig": "_zig"}[source.suffix]
    committed = source.with_name(f"{source.stem}{language}.wasm")
    assert built == committed.read_bytes(), f"run make -C apps {committed.relative_to(APPS)}"


# ---- wamr new


@pytest.mark.parametrize("language", ["c", "rust", "ts", "zig"])
def test_a_new_project(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need({"c": ".c", "rust": ".rs", "ts": ".ts", "zig": ".zig"}[language])
    monkeypatch.chdir(tmp_path)
    assert main(["new", "my-app", "--lang", language]) == 0
    assert main(["build", "my-app"]) == 0
    assert "@NAME@" not in (tmp_path / "my-app" / "README.md").read_text()
    app = (tmp_path / "my-app" / "my-app.wasm").read_bytes()
    assert len(app) < 8192

    async def drive() -> None:
        async with Device() as device:
            await subscribe(device, "my-app/tick")
            assert await device.install("my-app", app) == 65
            assert device.manager.apps[0].figures()["memory"] < 8192 + 4096
            assert [attributes(e)["ticks"] for e in await events(device, 3.0)] == [1, 2, 3]
            state = await ask(device, GET, "/my-app")
            assert (state.status, attributes(state)) == (69, {"ticks": 3, "interval": 1000})
            assert kinds(state) == {"ticks": "int32", "interval": "int32"}
            for dialect in ("B", "A"):
                values = AttrContainer("", dialect)
                values.set("text", "before it", "string")
                values.set("flag", True, "bool")
                values.set("small", -1, "int8")
                values.set("interval", 250.0, "double")
                (answer,) = await device.request(PUT, "/my-app", bytes(values.data), seconds=0.01)
                assert answer.status == 68, dialect
                state = await ask(device, GET, "/my-app")
                assert attributes(state)["interval"] == 250
            assert len(await events(device, 1.0)) == 4
            for wrong in (
                from_dict({"other": 1.0}),
                from_dict({"interval": "x"}),
                b"",
                b"\1" * 40,
            ):
                answers = await device.request(PUT, "/my-app", wrong, seconds=0.1)
                assert [a.status for a in answers if isinstance(a, Response)] == [128]
            answers = await device.request(POST, "/my-app", seconds=0.1)
            assert [a.status for a in answers if isinstance(a, Response)] == [133]
            assert not [line for line in device.lines if "exception" in line], device.lines

    run(drive())


def test_new_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, reason in (("a b", "no name for an app"), ("1st", "no name"), ("", "no name")):
        assert main(["new", str(tmp_path / name) if name else "."]) == 2
        assert reason in capsys.readouterr().err
    (tmp_path / "here").mkdir()
    assert main(["new", str(tmp_path / "here")]) == 2
    assert "is there already" in capsys.readouterr().err


# ---- wamr build


def test_build_says_what_is_wrong(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: str) -> str:
        assert main(["build", *arguments]) != 0
        return capfd.readouterr().err

    assert "has no .c files" in fails(str(tmp_path))
    (tmp_path / "a.c").write_text('#include "wasm_app.h"\nvoid on_init(void) { blink(1); }')
    (tmp_path / "b.rs").write_text("")
    (tmp_path / "c.txt").write_text("")
    assert "one language" in fails(str(tmp_path / "a.c"), str(tmp_path / "b.rs"))
    assert "one language" in fails(str(tmp_path / "c.txt"))
    need(".c")
    (tmp_path / "a.c").write_text("int blink(int n); void on_init(void) { blink(1); }")
    assert "the app calls blink, which neither it nor the runtime has" in fails(str(tmp_path))
    (tmp_path / "a.c").write_text("void on_init(void) { nonsense }")
    assert "failed with exit code" in fails(str(tmp_path))
    assert not list(tmp_path.glob("*.wasm"))

    # Without any compiler: what to install.
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(toolchains.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(toolchains, "_has_target", lambda rustc: False)
    assert "pip install ziglang==" in fails(str(tmp_path))
    for name, remedy in (
        ("b.rs", "apt install rustc libstd-rust-dev-wasm32"),
        ("b.ts", "apt install npm"),
        ("b.zig", "pip install ziglang=="),
    ):
        (tmp_path / name).write_text("")
        assert remedy in fails(str(tmp_path / name))


def test_zig_builds_c_when_there_is_no_clang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(".zig")
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "clang" else which(name))
    assert toolchains.find_c().compile[-1] == "-mcpu=mvp"
    app = build(tmp_path, APPS / "room_temp" / "room_temp.c")

    async def drive() -> None:
        async with Device() as device:
            assert await device.install("room_temp", app) == 65
            answer = await ask(device, GET, "/room_temp")
            assert attributes(answer) == {"temp unit": "centigrade", "value": 26.5}

    run(drive())


def test_functions_of_the_board(tmp_path: Path) -> None:
    """What a board's owner adds is declared with WAMR_IMPORT; plain programs build, too."""
    app = c_app(
        tmp_path,
        """#include "wa-inc/board.h"
        #include <stdio.h>
        WAMR_IMPORT(fuel_level) int fuel_level(int tank);
        int main(void) { printf("%d\\n", fuel_level(3)); return 0; }""",
    )
    assert b"fuel_level" in app and b"main" in app


def test_names_and_stack(tmp_path: Path) -> None:
    source = APPS / "timer" / "timer.c"
    plain, named = build(tmp_path, source), build(tmp_path, source, "--names", "--stack", "4k")
    assert b"api_timer_create" in named and b"api_timer_create" not in plain
    assert len(named) > len(plain)


# ---- sources written for WAMR

# Each line stands for something that sources of its generation rely on.
SOURCES = {
    "2019": """
        #include "wasm_app.h"
        #include "native_interface.h"
        #include "shared_utils.h"
        #include "attr-container.h"
        #include "attr_container.h"
        #include "request.h"
        #include "sensor.h"
        #include "timer_wasm_app.h"
        #include "connection.h"
        #include "lib-base.h"
        void handler(request_t *request)
        {
            response_t response[1];
            attr_container_t *payload = attr_container_create("t");
            if (is_event_type(request)) return;
            attr_container_set_int(&payload, "n", 7);
            attr_container_set_byte(&payload, "b", -2);
            attr_container_set_string(&payload, "s", "text");
            make_response_for_request(request, response);
            set_response(response, CONTENT_2_05, FMT_ATTR_CONTAINER, payload,
                         attr_container_get_serialize_length(payload));
            api_response_send(response);
            attr_container_destroy(payload);
        }
        void on_init()
        {
            init_resource_register();
            char *copy = wa_malloc(10);
            wa_free(copy);
            api_register_resource_handler("/r", handler);
        }
        void on_destroy() {}
        """,
    "2024": """
        #include "wasm_app.h"
        #include "bi-inc/attr_container.h"
        #include "bi-inc/shared_utils.h"
        #include "wa-inc/request.h"
        #include "wa-inc/timer_wasm_app.h"
        #include "wa-inc/sensor.h"
        #include "wa-inc/connection.h"
        void handler(request_t *request)
        {
            response_t response[1];
            attr_container_t *payload = attr_container_create("t");
            uint32 mid = request->mid;
            unsigned long sender = request->sender;
            attr_container_set_int(&payload, "n", 7);
            attr_container_set_int8(&payload, "b", -2);
            attr_container_set_string(&payload, "s", "text");
            response->mid = mid;
            response->reciever = sender;
            set_response(response, CONTENT_2_05, FMT_ATTR_CONTAINER, (const char *)payload,
                         attr_container_get_serialize_length(payload));
            printf("reciver: %lu, mid:%d\\n", response->reciever, response->mid);
            api_response_send(response);
            attr_container_destroy(payload);
        }
        void on_init() { api_register_resource_handler("/r", handler); }
        void on_destroy() {}
        """,
}


@pytest.mark.parametrize("dialect", ["A", "B"])
@pytest.mark.parametrize("generation", ["2019", "2024"])
def test_sources_for_wamr_compile_unchanged(
    generation: str, dialect: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if (generation, dialect) == ("2024", "A"):
        text = SOURCES["2024"].replace("set_int8", "set_byte")
    else:
        text = SOURCES[generation]
    app = c_app(tmp_path, text, *(("-D", "WAMR_DIALECT_A") if dialect == "A" else ()))
    assert "warning" not in capfd.readouterr().err

    async def drive() -> None:
        async with Device(dialect=dialect) as device:
            assert await device.install("a", app) == 65
            (answer,) = await device.request(GET, "/r")
            expected = AttrContainer("t", dialect)
            expected.set("n", 7, "int32")
            expected.set("b", -2, "int8")
            expected.set("s", "text", "string")
            assert answer.payload == expected.data

    run(drive())


# ---- the C library's attr_container against the device's, which has the same rules

STEPS: list[tuple[str, Any, str]] = [
    ("a", 1, "int32"),
    ("b", "x" * 60, "string"),
    ("c", b"\1\2\3", "bytearray"),
    ("a", 2, "int32"),  # the same size: in place
    ("b", "y" * 10, "string"),  # smaller: goes to the end
    ("a", 3, "int64"),  # larger: goes to the end
    ("d", "z" * 150, "string"),  # grows
    ("b", "w" * 200, "string"),  # grows once more
    ("c", b"", "bytearray"),
    ("e", True, "bool"),
    ("f", 0.1, "float"),
    ("g", 0.1, "double"),
    ("h", -3, "int8"),
    ("i", 65535, "uint16"),
    ("j", -2, "int16"),
]


@pytest.mark.parametrize("dialect", ["A", "B"])
def test_containers_grow_as_on_the_device(dialect: str, tmp_path: Path) -> None:
    calls = []
    names = {"int32": "int", "int64": "int64", "int8": "byte", "int16": "short"}
    expected, bodies = AttrContainer("tag", dialect), []
    for key, value, kind in STEPS:
        setter = f'attr_container_set_{names.get(kind, kind)}(&c, "{key}"'
        if kind == "string":
            calls.append(f'{setter}, "{value}")')
        elif kind == "bytearray":
            data = "".join(f"\\{byte:o}" for byte in value)
            calls.append(f'{setter}, (int8_t *)"{data}", {len(value)})')
        else:
            calls.append(f"{setter}, {int(value) if kind == 'bool' else value})")
        expected.set(key, value, kind)
        bodies.append(bytes(expected.data))
    steps = "\n".join(f"if ({call}) send();" for call in calls)
    app = c_app(
        tmp_path,
        f"""#include "wasm_app.h"
        static attr_container_t *c;
        static void send(void)
        {{
            api_publish_event("c", FMT_ATTR_CONTAINER, c, attr_container_get_serialize_length(c));
        }}
        void on_init(void) {{ c = attr_container_create("tag"); {steps} }}""",
        *(("-D", "WAMR_DIALECT_A") if dialect == "A" else ()),
    )

    async def drive() -> None:
        async with Device(dialect=dialect) as device:
            await subscribe(device, "c")
            device.stream.feed_data(b"")
            answers = await device.request(PUT, "/applet?name=a", app, 98, 4, seconds=1.0)
            sent = [a.payload for a in answers if not isinstance(a, Response)]
            assert len(sent) == len(STEPS)
            for got, wanted in zip(sent, bodies):
                assert len(got) == len(wanted)
                assert list(items(got)) == list(items(wanted))
            # Byte by byte, where nothing stale is in the unused tail.
            assert sent[0] == bodies[0] and sent[3] == bodies[3]

    run(drive())


def test_getters_and_packets(tmp_path: Path) -> None:
    """What an app reads of attributes of other types, and the helpers; it prints what is wrong."""
    app = c_app(
        tmp_path,
        r"""#include "wasm_app.h"
        #define CHECK(what) do { if (!(what)) puts(#what); } while (0)
        void on_init(void)
        {
            attr_container_t *c = attr_container_create(NULL);
            attr_container_set_short(&c, "short", -1);
            attr_container_set_double(&c, "double", 26.0);
            attr_container_set_float(&c, "float", 1.0f);
            attr_container_set_string(&c, "text", "hello");
            attr_container_set_bytearray(&c, "bytes", (int8_t *)"\1\2", 2);
            attr_container_set_bool(&c, "yes", true);
            CHECK(!*attr_container_get_tag(c));
            CHECK(attr_container_get_attr_num(c) == 6);
            CHECK(attr_container_get_as_int(c, "short") == 65535);
            CHECK(attr_container_get_as_short(c, "short") == -1);
            CHECK(attr_container_get_as_int(c, "double") == 0);
            CHECK(attr_container_get_as_double(c, "double") == 26);
            CHECK(attr_container_get_as_int(c, "float") == 0x3f800000);
            CHECK(attr_container_get_as_int(c, "nothing") == 0);
            CHECK(!attr_container_get_as_string(c, "nothing"));
            CHECK(!strcmp(attr_container_get_as_string(c, "text"), "hello"));
            CHECK(attr_container_get_as_uint16(c, "text") == 0x6568);
            unsigned n;
            CHECK(attr_container_get_as_bytearray(c, "bytes", &n)[1] == 2 && n == 2);
            CHECK(attr_container_get_as_bool(c, "yes"));
            CHECK(attr_container_contain_key(c, "yes") && !attr_container_contain_key(c, "ye"));
            CHECK(!attr_container_set_int(&c, "", 1) && !attr_container_set_int(&c, NULL, 1));
            CHECK(!attr_container_set_string(&c, "s", NULL));
            CHECK(!attr_container_is_constant(c));
            char *copy = malloc(attr_container_get_serialize_length(c));
            CHECK(attr_container_serialize(copy, c));
            CHECK(attr_container_is_constant((attr_container_t *)copy));
            CHECK(attr_container_get_as_double((attr_container_t *)copy, "double") == 26);

            request_t request[1], back[1];
            request->sender = 5;
            int size;
            init_request(request, "/a", COAP_PUT, FMT_ATTR_CONTAINER, c, 10);
            char *packet = pack_request(request, &size);
            CHECK(size == 18 + 3 + 10);
            CHECK(unpack_request(packet, size, back) == back);
            CHECK(back->mid == 1 && back->action == COAP_PUT && back->payload_len == 10);
            CHECK(back->sender == 5 && !strcmp(back->url, "/a"));
            CHECK(!unpack_request(packet, size - 1, back) && !unpack_request(packet, 17, back));
            packet[20] = 'x';
            CHECK(!unpack_request(packet, size, back));
            request_t *kept = clone_request(request);
            CHECK(!strcmp(kept->url, "/a") && kept->url != request->url);
            CHECK(!memcmp(kept->payload, c, 10) && kept->payload != (void *)c);
            request_cleaner(kept);
            response_t response[1], answer[1];
            make_response_for_request(request, response);
            set_response(response, CHANGED_2_04, 0, NULL, 0);
            packet = pack_response(response, &size);
            CHECK(size == 16 && unpack_response(packet, size, answer) == answer);
            CHECK(answer->status == 68 && answer->reciever == 5 && !answer->payload);
            CHECK(!unpack_response(packet, 15, answer));

            CHECK(check_url_start("/abc", 4, "/abc") && check_url_start("abc/x", 5, "/abc/"));
            CHECK(check_url_start("/abc?x=1", 8, "abc") == 5);
            CHECK(!check_url_start("/abcd", 5, "/abc") && !check_url_start("/ab", 3, "/abc"));
            CHECK(match_url("/abcd", "abcd/") && !match_url("/abcd", "/abcd/e"));
            CHECK(match_url("/abcd/", "/abcd") && match_url("/abcd/", "/abcd/e"));
            CHECK(match_url("/abcd*", "/abcdef") && match_url("/abcd*", "/abcd"));
            CHECK(match_url("/abcd/*", "/abcd/e") && !match_url("/abcd/*", "/abcd"));
            char value[8];
            CHECK(find_key_value("a=1& b=22&bb=3", 14, "b", value, 8, '&') == value);
            CHECK(!strcmp(value, "22"));
            CHECK(!find_key_value("ab=1", 4, "b", value, 8, '&'));
            CHECK(!find_key_value("b=12345678", 10, "b", value, 8, '&'));
            CHECK(htonl(0x01020304) == 0x04030201 && ntohs(0x0102) == 0x0201);
            CHECK(b_memcpy_s(value, 8, "12", 3) == 0 && b_memcpy_s(value, 2, "123", 4) == -1);
            CHECK(!strcmp(wa_strdup("x"), "x"));
            puts("done");
        }""",
    )

    async def drive() -> None:
        async with Device() as device:
            assert await device.install("a", app) == 65
            assert device.printed == b"done\n", device.printed

    run(drive())


def test_requests_of_an_app(tmp_path: Path) -> None:
    """Twenty requests at once, to nobody; each times out. One more each time one is over."""
    app = c_app(
        tmp_path,
        """#include "wasm_app.h"
        static int over;
        static void ask(void);
        static void done(response_t *response, void *data)
        {
            if (!response && ++over < 40) ask();
            attr_container_t *c = attr_container_create("");
            attr_container_set_int(&c, "over", over);
            if (over == 59) api_publish_event("over", FMT_ATTR_CONTAINER, c,
                                              attr_container_get_serialize_length(c));
            attr_container_destroy(c);
        }
        static void ask(void)
        {
            request_t request[1];
            init_request(request, "/nobody", COAP_GET, 0, NULL, 0);
            api_send_request(request, done, NULL);
        }
        void on_init(void) { for (int i = 0; i < 20; i++) ask(); }""",
    )

    async def drive() -> None:
        async with Device() as device:
            await subscribe(device, "over")
            assert await device.install("a", app, seconds=0.05) == 65
            assert await events(device, 4.9) == []
            heap = device.manager.apps[0].instance.heap
            (event,) = await events(device, 10.5)
            assert attributes(event) == {"over": 59}
            assert not device.manager.apps[0].timers.timers
            assert heap.used < 100

    run(drive())


def test_timers_of_an_app(tmp_path: Path) -> None:
    """A thousand timers, one after the other; then more than there may be."""
    app = c_app(
        tmp_path,
        """#include "wasm_app.h"
        static void nothing(user_timer_t timer) { api_timer_cancel(timer); }
        void on_init(void)
        {
            user_timer_t last = NULL;
            for (int i = 0; i < 1000; i++) {
                last = api_timer_create(1000, true, true, nothing);
                if (!last) printf("%d\\n", i);
                api_timer_cancel(last);
            }
            api_timer_cancel(last);
            api_timer_restart(last, 1);
            api_timer_restart(NULL, 1);
            int n = 0;
            while (api_timer_create(1000, true, true, nothing)) n++;
            printf("%d at once\\n", n);
        }""",
    )

    async def drive() -> None:
        async with Device() as device:
            assert await device.install("a", app, "&wd=60000", seconds=3) == 65
            assert device.printed == b"20 at once\n"
            assert not device.manager.apps[0].timers.timers  # each cancels itself
            assert device.manager.apps[0].instance.heap.used < 100

    run(drive())
