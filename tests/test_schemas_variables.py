"""Names of variables that a process may set, and those that would take its child over (attack class 17)."""

import json
import re
from pathlib import Path

import pytest

from reconciler.schema import Schema

ROOT = Path(__file__).parents[1]
PROCESS = json.loads((ROOT / "schemas" / "process.schema.json").read_text())
REFUSED = [
    *("PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "PYTHONPATH"),
    *("PYTHONSTARTUP", "PYTHONHOME", "GIT_DIR", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "SSH_AUTH_SOCK"),
    *("PROCCTL_INPUT", "PROCCTL_REPORT", "BASH_ENV", "BASHOPTS", "BASH_FUNC_x", "ENV", "IFS", "SHELLOPTS"),
    *("CDPATH", "PS4", "PROMPT_COMMAND", "SHELL", "ZDOTDIR", "FPATH", "NODE_OPTIONS", "NODE_PATH"),
    *("NPM_CONFIG_PREFIX", "npm_config_prefix", "PERL5LIB", "PERL5OPT", "PERLLIB", "RUBYLIB", "RUBYOPT"),
    *("GEM_PATH", "BUNDLE_GEMFILE", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"),
    *("PHPRC", "PHP_INI_SCAN_DIR", "LUA_PATH", "LUA_INIT", "R_PROFILE", "R_LIBS", "DOTNET_STARTUP_HOOKS"),
    *("CORECLR_PROFILER", "COR_PROFILER", "ERL_FLAGS", "GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH"),
    *("MALLOC_CHECK_", "OPENSSL_CONF", "HOSTALIASES", "TZDIR", "HOME", "USER", "LOGNAME", "TMPDIR"),
    *("XDG_CONFIG_HOME", "PIP_INDEX_URL", "UV_INDEX", "VIRTUAL_ENV", "CURL_HOME", "EDITOR", "PAGER", "VISUAL"),
    *("DENO_DIR", "BUN_INSTALL"),
]
FINE = [
    *("FACTOR", "path", "home", "env", "NODE_ENV", "TZ", "LANG", "LC_ALL", "HTTPS_PROXY", "https_proxy"),
    *("NO_PROXY", "SSL_CERT_FILE", "AWS_REGION", "PATHS", "MY_PATH", "HOME_URL", "USERS", "ENVIRONMENT"),
    *("PHP_RATE", "R_SQUARED", "COR_LIMIT", "GIT", "PERCENT", "A", "_", "a1", "ANACONDA", "DATABASE_URL"),
]


@pytest.mark.parametrize("name", [*REFUSED, "with-dash", "1ST", "", "A=B", "A B", "É", "A\n", "x" * 129])
def test_variables_that_take_a_child_over_are_refused(name: str) -> None:
    schema = Schema(PROCESS)
    assert schema.findings({"script": "a.py", "settings": {name: "x"}})
    assert schema.findings({"script": "a.py", "secrets": [name]})


@pytest.mark.parametrize("name", FINE)
def test_other_variables_are_the_users_own(name: str) -> None:
    schema = Schema(PROCESS)
    assert schema.findings({"script": "a.py", "settings": {name: "x"}, "secrets": [name]}) == []


def test_every_family_of_refused_variables_is_documented() -> None:
    pattern = PROCESS["$defs"]["variable"]["pattern"]
    page = (ROOT / "docs" / "reference" / "process.md").read_text()
    families, whole = re.findall(r"\(\?:([^()]*(?:\(\?![^()]*\)[^()]*)?)\)", pattern)[:2]
    named = [re.sub(r"\(.*?\)", "", name) for name in families.split("|")] + whole.split("|")
    assert [name for name in named if f"`{name}`" not in page and f"`{name}*`" not in page] == []
