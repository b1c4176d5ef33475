"""SCons tool: the model and tokenizer that the options model= and tokenizer= name."""

import os
import sys
from pathlib import Path
from typing import Any

from bareflow.model_program import MODEL_PROGRAM
from bareflow.models.download import Download
from bareflow.models.model_catalogue import DEFAULT, load_catalogue, unknown_model
from bareflow.models.packages import Assembled
from build_options import TOP, Options, user_path
from python_module import run_module
from SCons.Script import COMMAND_LINE_TARGETS
from scons_paths import user_file

CATALOGUE = TOP / "models.toml"
MODEL_PATH, TOKENIZER_PATH, CHAT_TEMPLATE_PATH = (
    MODEL_PROGRAM.disk[name] for name in ("model", "tokenizer", "chat_template")
)
GGUF_MAGIC = b"GGUF"
DEFAULT_MODEL = f"#{MODEL_PROGRAM.default_model}"
NEED_A_MODEL = {"run", "bench", "perplexity"}


def _fetch(target: list[Any], source: list[Any], env: Any) -> int:
    path = Path(target[0].abspath)
    return run_module("bareflow.models.model_catalogue", str(CATALOGUE), str(path.parent), path.name)


def _downloaded(env: Any, file: Download | Assembled) -> Any:
    """The node of a file in the user's cache. What is there is checked, not deleted and fetched again."""
    from bareflow.models.user_cache import user_cache

    path = user_cache() / "models" / file.name
    what = env.Step(_fetch, "FETCH", file.name)
    node = env.Command(user_file(env, str(path)), env.Value(str(file)), what)
    env.SideEffect("$BUILD_ROOT/network", node)  # one at a time: there is one line for a progress bar
    env.Precious(node)
    env.NoClean(node)
    env.NoCache(node)
    return node[0]


def _own_tokenizer(env: Any, model: Path) -> Any:
    """The file given, or the one beside the model."""
    path = Path(env["tokenizer"] or model.with_name("tokenizer.bin"))
    if not path.is_file():
        sys.exit(f"bareflow: there is no {path}; give the model's tokenizer with tokenizer=FILE")
    return user_file(env, str(path))


def _is_gguf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(GGUF_MAGIC)) == GGUF_MAGIC


def _make_chat_template(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.models.chat_template import make_chat_template

    content, reason = make_chat_template(Path(source[0].abspath))
    if reason:
        env.Progress(
            f"{source[0].name}: its chat template cannot be used: {reason}; lines will be plain text"
        )
    Path(target[0].abspath).write_bytes(content)


def _gguf_files(env: Any, model: Any) -> dict[str, Any]:
    """Those of a GGUF model: it has its tokenizer in it, and maybe a chat template."""
    target = f"$BUILD_ROOT/models/{Path(model.abspath).stem}.tpl"
    chat = env.Command(target, model, env.Step(_make_chat_template, "CHAT", Path(model.abspath).name))
    return {MODEL_PATH: model, CHAT_TEMPLATE_PATH: chat[0]}


def _given_files(env: Any, path: Path) -> dict[str, Any]:
    """Those of a model that is a file. GGUF's have their tokenizers in them."""
    model = {MODEL_PATH: user_file(env, str(path))}
    if not _is_gguf(path):
        return model | {TOKENIZER_PATH: _own_tokenizer(env, path)}
    _need_no_tokenizer(env, str(path))
    return _gguf_files(env, model[MODEL_PATH])


def _need_no_tokenizer(env: Any, model: str) -> None:
    if env["tokenizer"]:
        sys.exit(f"bareflow: tokenizer=: {model} is a GGUF file, which has its tokenizer in it")


def _need_no_model() -> None:
    """Ends the build when a target of the command line cannot do without a model."""
    for target in sorted(NEED_A_MODEL & set(COMMAND_LINE_TARGETS)):
        sys.exit(
            f"bareflow: {target} needs a model, and there is no {DEFAULT_MODEL.lstrip('#')}: give "
            "model=FILE, a GGUF file, or a llama2.c checkpoint and with tokenizer=FILE its tokenizer, "
            "or model=NAME, a name from models.toml"
        )


def _model_files(env: Any) -> dict[str, Any]:
    """Path in the image to node; nothing when the project's own model is meant and is not in the tree."""
    name = env["model"]
    path = Path(env.File(DEFAULT_MODEL).abspath if name == DEFAULT else name)
    if path.is_absolute() and path.is_file():
        return _given_files(env, path)
    if name == DEFAULT:
        _need_no_model()
        return {}
    model = load_catalogue(CATALOGUE)[name]
    file = _downloaded(env, model.file)
    if not model.tokenizer:
        _need_no_tokenizer(env, name)
        return _gguf_files(env, file)
    tokenizer = user_file(env, env["tokenizer"]) if env["tokenizer"] else _downloaded(env, model.tokenizer)
    return {MODEL_PATH: file, TOKENIZER_PATH: tokenizer}


def options(opts: Options) -> None:
    text = "GGUF file, llama2.c checkpoint, or a name from models.toml"
    opts.add_file("model", text, DEFAULT, convert=_model, validator=None)
    opts.add_file("tokenizer", "a llama2.c checkpoint's tokenizer (tokenizer.bin beside the model)")


def _model(value: str, folder: str) -> str:
    """A name, or the path of a file that exists."""
    path = user_path(value, folder)
    if value in ("", DEFAULT) or os.path.isfile(path):
        return path if value not in ("", DEFAULT) else DEFAULT
    names = list(load_catalogue(CATALOGUE))
    if value not in names:
        raise SystemExit(f"bareflow: {unknown_model(value, Path(path), [DEFAULT, *names])}")
    return value


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_model_files, "ModelFiles")
