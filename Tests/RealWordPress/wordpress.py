"""A WordPress of one's own: MariaDB and PHP's own web server on loopback, everything in one folder."""

import base64
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

HERE = pathlib.Path(__file__).parent
INSTALLED = pathlib.Path("/usr/share/wordpress")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what, seconds=60):
    """Asks again and again, for the starts of programs that tell nobody when they are ready."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} took more than {seconds} s")
        time.sleep(0.05)


def stop(process, group=False, seconds=10):
    """Ends a process that this script started, or with it those it started in turn, by its id."""
    send = os.killpg if group else os.kill
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            send(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(seconds)
            if not group:
                return
            # The workers of PHP's server outlive it for a moment, or for good.
            until(lambda: not group_lives(process.pid), "the end of the web server", seconds)
            return
        except (subprocess.TimeoutExpired, RuntimeError):
            continue
    process.wait(seconds)


def group_lives(number):
    try:
        os.killpg(number, 0)
        return True
    except ProcessLookupError:
        return False


class WordPress:
    """Started by `start`, written to by `call`, ended by `stop`, whatever has happened."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "wp"
        self.socket = folder / "my.sock"
        self.port = free_port()
        self.database = None
        self.web = None
        self.authorization = {}

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        if len(str(self.socket)) > 100:
            raise RuntimeError(f"{self.folder} is too long a name: sockets have at most 107 characters")
        self._start_database()
        self._copy()
        self._start_web()
        self._install()

    def stop(self):
        if self.web:
            stop(self.web, group=True)
        if self.database:
            stop(self.database, seconds=30)

    def _log(self, name):
        return open(self.folder / name, "ab")

    def _start_database(self):
        data = self.folder / "mysql"
        user = ["--user=root"] if os.getuid() == 0 else []
        with self._log("mariadb-install.log") as log:
            install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db"]
            subprocess.run(
                install + ["--auth-root-authentication-method=normal"] + user, stdout=log, stderr=log, check=True
            )
        # Without a network of its own; nothing here has to outlive a loss of power.
        options = [f"--datadir={data}", f"--socket={self.socket}", f"--pid-file={self.folder / 'my.pid'}"]
        options += ["--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]
        options += ["--performance-schema=OFF", "--skip-log-bin"]
        with self._log("mariadb.log") as log:
            self.database = subprocess.Popen(
                ["mariadbd", "--no-defaults"] + options + user, stdout=log, stderr=log, start_new_session=True
            )
        client = ["mariadb", "--no-defaults", f"--socket={self.socket}", "-u", "root"]
        until(lambda: self.socket.exists() or self.database.poll() is not None, "the start of MariaDB")
        statement = "CREATE DATABASE wordpress CHARACTER SET utf8mb4; CREATE USER wordpress@localhost IDENTIFIED BY 'wordpress';"
        statement += "GRANT ALL ON wordpress.* TO wordpress@localhost;"
        subprocess.run(client + ["-e", statement], check=True)

    def _copy(self):
        shutil.copytree(INSTALLED, self.root, ignore=shutil.ignore_patterns(".htaccess"), ignore_dangling_symlinks=True)
        keys = ["AUTH_KEY", "SECURE_AUTH_KEY", "LOGGED_IN_KEY", "NONCE_KEY"]
        keys += ["AUTH_SALT", "SECURE_AUTH_SALT", "LOGGED_IN_SALT", "NONCE_SALT"]
        constants = {
            "DB_NAME": "wordpress",
            "DB_USER": "wordpress",
            "DB_PASSWORD": "wordpress",
            "DB_HOST": f"localhost:{self.socket}",
            "DB_CHARSET": "utf8mb4",
            "DB_COLLATE": "",
            "WP_CONTENT_DIR": str(self.root / "wp-content"),
            "WP_HTTP_BLOCK_EXTERNAL": True,
            "DISABLE_WP_CRON": True,
            "AUTOMATIC_UPDATER_DISABLED": True,
            # Application passwords work over plain http.
            "WP_ENVIRONMENT_TYPE": "local",
        } | {key: secrets.token_hex(32) for key in keys}
        lines = [f"define({json.dumps(name)}, {json.dumps(value)});" for name, value in constants.items()]
        lines += ["$table_prefix = 'wp_';", "if (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }"]
        lines += ["require_once ABSPATH . 'wp-settings.php';"]
        config = self.root / "wp-config.php"
        config.unlink(missing_ok=True)
        config.write_text("<?php\n" + "\n".join(lines) + "\n")

    def _php(self):
        settings = ["opcache.enable_cli=1", "sendmail_path=/bin/true", "memory_limit=256M", "display_errors=stderr"]
        return ["php"] + [word for setting in settings for word in ("-d", setting)]

    def _start_web(self):
        command = self._php() + ["-S", f"127.0.0.1:{self.port}", "-t", str(self.root)]
        with self._log("php.log") as log:
            self.web = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env=os.environ | {"PHP_CLI_SERVER_WORKERS": "4"},
                start_new_session=True,
            )
        until(self._answers, "the start of PHP's web server")

    def _answers(self):
        if self.web.poll() is not None:
            raise RuntimeError(f"PHP's web server did not start: see {self.folder / 'php.log'}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _install(self):
        password = secrets.token_urlsafe(16)
        form = {"weblog_title": "New", "user_name": "admin", "admin_password": password, "admin_password2": password}
        form |= {"pw_weak": "1", "admin_email": "admin@wordpress.example", "blog_public": "0"}
        status, _, body = self.request(
            "POST",
            "/wp-admin/install.php?step=2",
            urllib.parse.urlencode(form).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        if status != 200 or b"wp-login.php" not in body:
            raise RuntimeError(f"WordPress could not be installed: status {status}")
        prepare = self._php() + [str(HERE / "prepare.php"), str(self.root)]
        passwords = json.loads(subprocess.run(prepare, check=True, capture_output=True).stdout)
        for name, password in passwords.items():
            token = base64.b64encode(f"{name}:{password}".encode()).decode()
            self.authorization[name] = {"Authorization": f"Basic {token}"}

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def call(self, method, route, fields=None, user="admin", **query):
        """One call of the REST API, which answers JSON."""
        path = "/index.php?" + urllib.parse.urlencode({"rest_route": f"/wp/v2/{route}"} | query)
        headers = {"Content-Type": "application/json"} | self.authorization[user]
        body = None if fields is None else json.dumps(fields).encode()
        status, headers, body = self.request(method, path, body, headers)
        if not 200 <= status < 300:
            raise RuntimeError(f"WordPress answered {method} {route} with {status}: {body[:300].decode(errors='replace')}")
        return json.loads(body)

    def all(self, route, **query):
        """Every object of a collection."""
        found = []
        while True:
            page = self.call("GET", route, per_page=100, offset=len(found), **query)
            found += page
            if len(page) < 100:
                return found
