//! Two daemons as Debian has them, and three ways to replace each: by procsup in supervised overlap, and the two that
//! they have themselves. HUP starts new workers below the same master, so the program stays the same; USR2 starts a new
//! master, which is what procsup does, and is finished by hand as their manuals say.

use super::super::library_supervisor::Recipe;
use libc::{SIGKILL, SIGQUIT, SIGTERM};
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Nginx,
    Gunicorn,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    Procsup,
    Hup,
    Usr2,
}

pub struct Daemon {
    pub id: &'static str,
    pub label: &'static str,
    pub kind: Kind,
    pub way: Way,
}

const fn daemon(id: &'static str, label: &'static str, kind: Kind, way: Way) -> Daemon {
    Daemon { id, label, kind, way }
}

pub const DAEMONS: [Daemon; 6] = [
    daemon("nginx", "nginx, by procsup", Kind::Nginx, Way::Procsup),
    daemon("nginx-hup", "nginx, HUP: new workers", Kind::Nginx, Way::Hup),
    daemon("nginx-usr2", "nginx, USR2, then QUIT", Kind::Nginx, Way::Usr2),
    daemon("gunicorn", "gunicorn, by procsup", Kind::Gunicorn, Way::Procsup),
    daemon("gunicorn-hup", "gunicorn, HUP: new workers", Kind::Gunicorn, Way::Hup),
    daemon("gunicorn-usr2", "gunicorn, USR2, then TERM", Kind::Gunicorn, Way::Usr2),
];

/// Workers of each.
pub const WORKERS: usize = 2;

/// Where it runs.
pub struct Setup {
    pub dir: PathBuf,
    pub port: u16,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Gunicorn => "gunicorn",
        }
    }

    pub fn program(self) -> &'static str {
        match self {
            Self::Nginx => "/usr/sbin/nginx",
            Self::Gunicorn => "/usr/bin/gunicorn",
        }
    }

    pub fn is_here(self) -> bool {
        Path::new(self.program()).exists()
    }

    /// Fresh connections a second, and kept ones with their requests a second: what one CPU bears with half of it to spare.
    pub fn load(self) -> (u64, u64, u64) {
        match self {
            Self::Nginx => (2000, 16, 50),
            Self::Gunicorn => (200, 16, 10),
        }
    }
}

impl Daemon {
    pub fn find(id: &str) -> Option<&'static Self> {
        DAEMONS.iter().find(|daemon| daemon.id == id)
    }

    pub fn is_ours(&self) -> bool {
        self.way == Way::Procsup
    }

    pub fn prepare(&self, setup: &Setup) -> std::io::Result<()> {
        let (dir, port) = (setup.dir.display(), setup.port);
        match self.kind {
            Kind::Gunicorn => std::fs::write(
                setup.dir.join("app.py"),
                "import os\n\ndef app(environ, start):\n    body = b\"%d\\n\" % os.getpid()\n    start(\"200 OK\", \
                 [(\"Content-Type\", \"text/plain\"), (\"Content-Length\", str(len(body)))])\n    return [body]\n",
            ),
            Kind::Nginx => std::fs::write(
                setup.dir.join("nginx.conf"),
                format!(
                    "worker_processes {WORKERS};\nevents {{ worker_connections 4096; }}\n\
                     http {{\n access_log off;\n keepalive_requests 1000000;\n client_body_temp_path {dir}/body;\n \
                     proxy_temp_path {dir}/proxy;\n fastcgi_temp_path {dir}/fastcgi;\n uwsgi_temp_path {dir}/uwsgi;\n \
                     scgi_temp_path {dir}/scgi;\n server {{\n  listen 127.0.0.1:{port} backlog={backlog};\n  \
                     location / {{ return 200 \"ok\\n\"; }}\n }}\n}}\n",
                    backlog = super::BACKLOG
                ),
            ),
        }
    }

    pub fn pid_file(setup: &Setup, number: usize) -> PathBuf {
        setup.dir.join(format!("{number}.pid"))
    }

    /// `given`: its listener comes by the conventions that it knows.
    fn words(&self, setup: &Setup, number: usize, given: bool) -> Vec<String> {
        let (dir, pid) = (setup.dir.display(), Self::pid_file(setup, number));
        let pid = pid.display();
        match self.kind {
            Kind::Nginx => {
                // One that has its first parent still ignores USR2.
                let stays = if self.way == Way::Usr2 { "on" } else { "off" };
                let (config, log) = (format!("{dir}/nginx.conf"), format!("{dir}/error.log"));
                let globals = format!("pid {pid}; daemon {stays};");
                [self.kind.program(), "-e", &log, "-c", &config, "-g", &globals].map(Into::into).into()
            }
            Kind::Gunicorn => {
                let (workers, backlog) = (WORKERS.to_string(), super::BACKLOG.to_string());
                // Debian's own python, whatever comes first in PATH.
                let mut words: Vec<String> =
                    ["/usr/bin/python3", self.kind.program(), "--chdir"].map(Into::into).into();
                words.push(dir.to_string());
                let more =
                    ["-k", "gthread", "-w", &workers, "--threads", "16", "--keep-alive", "5", "--graceful-timeout"];
                words.extend(more.map(Into::into));
                words.extend(["30", "--log-level", "error", "--backlog", &backlog].map(Into::into));
                words.extend(["--pid".into(), pid.to_string()]);
                if !given {
                    words.extend(["-b".into(), format!("127.0.0.1:{}", setup.port)]);
                }
                words.push("app:app".into());
                words
            }
        }
    }

    /// For procsup.
    pub fn recipe(&self, setup: &Setup, number: usize) -> Recipe {
        let words = self.words(setup, number, true);
        let (end, env) = match self.kind {
            Kind::Nginx => (SIGQUIT, vec![("NGINX".into(), "3;".into())]),
            Kind::Gunicorn => (SIGTERM, Vec::new()),
        };
        let stop = vec![(end, 30_000), (SIGKILL, -1)];
        Recipe { words, env, stop, silent: self.kind == Kind::Nginx }
    }

    /// Without procsup.
    pub fn own_words(&self, setup: &Setup) -> Vec<String> {
        self.words(setup, 0, false)
    }

    /// A shell command line for procsup: all workers have begun. (What gunicorn calls READY comes before.) It has written
    /// its pid file when it has its listeners.
    pub fn health(&self, setup: &Setup) -> String {
        let dir = setup.dir.display();
        format!(
            "grep -sqx \"$PS_HEALTH_PID\" {dir}/*.pid && \
             test \"$(wc -w < /proc/$PS_HEALTH_PID/task/$PS_HEALTH_PID/children)\" -ge {WORKERS}"
        )
    }
}
