//! What a host says about itself before the first dispatch.

use std::any::TypeId;
use std::ffi::OsString;

use once_cell::sync::OnceCell;

use crate::context::Context;
use crate::dispatch::{Dispatcher, Inner};
use crate::globals::GlobalOptions;
use crate::registry::Registry;
use crate::resolution::Unresolved;
use crate::state::{Provider, Providers};
use crate::status::ExitStatus;

/// Builds a [`Dispatcher`]; see [`Dispatcher::builder`].
pub struct Builder {
    inner: Inner,
}

impl Dispatcher {
    /// Begins a dispatcher; `program` is the name that help and hints say.
    pub fn builder(program: impl Into<String>) -> Builder {
        Builder::new(program.into())
    }
}

impl Builder {
    fn new(program: String) -> Builder {
        Builder {
            inner: Inner {
                program,
                version: None,
                about: String::new(),
                registry: OnceCell::new(),
                globals: GlobalOptions::None,
                #[cfg(feature = "clap")]
                globals_error: None,
                providers: Providers::default(),
                given: Vec::new(),
                fallback: None,
            },
        }
    }

    /// What `--version` prints: a whole line, such as `tool version 0.1.0`. Without it there is no such option.
    pub fn version(mut self, line: impl Into<String>) -> Builder {
        self.inner.version = Some(line.into());
        self
    }

    /// What help says about the program. Nothing by default.
    pub fn about(mut self, text: impl Into<String>) -> Builder {
        self.inner.about = text.into();
        self
    }

    /// The commands. By default those that are linked into the program, gathered when they are first needed.
    pub fn registry(mut self, registry: Registry) -> Builder {
        self.inner.registry = OnceCell::with_value(registry);
        self
    }

    /// Global options, parsed before the command's name, and what to do with them before the command is looked up.
    ///
    /// They end at the first word that is no option. `-h`, `--help`, `-v` and `--version` are added where `G` does not
    /// use these letters and names itself. Handlers take the value as [`Globals<G>`](crate::Globals). `G` has options only:
    /// positional arguments would take the command's name.
    #[cfg(feature = "clap")]
    pub fn globals<G>(
        mut self,
        apply: impl Fn(&G, &mut Context) -> anyhow::Result<()> + Send + Sync + 'static,
    ) -> Builder
    where
        G: clap::Args + Send + Sync + 'static,
    {
        self.inner.globals =
            GlobalOptions::Clap(Box::new(crate::clap_globals::ClapGlobals::new(apply)));
        self
    }

    /// What becomes of clap's errors about global options, in place of its own words. The context's arguments are all words
    /// that were given. `--help` and `--version` are no errors here.
    #[cfg(feature = "clap")]
    pub fn globals_error(
        mut self,
        map: impl Fn(clap::Error, &Context) -> anyhow::Error + Send + Sync + 'static,
    ) -> Builder {
        self.inner.globals_error = Some(Box::new(map));
        self
    }

    /// Global options without clap: the function gets all words and says how many of them it took.
    ///
    /// It sees the words as they were typed and keeps what it found with [`Context::set_globals`]. Name the type that it
    /// keeps with [`given`](Builder::given), so that [`assert_host`](crate::testing::assert_host) knows of it.
    pub fn raw_globals(
        mut self,
        parse: impl Fn(&mut Context, &[OsString]) -> anyhow::Result<usize> + Send + Sync + 'static,
    ) -> Builder {
        self.inner.globals = GlobalOptions::Raw(Box::new(parse));
        self
    }

    /// State of one dispatch, built when its command first asks for it. Handlers take it as [`State<T>`](crate::State).
    pub fn state<T>(
        mut self,
        build: impl Fn(&Context) -> anyhow::Result<T> + Send + Sync + 'static,
    ) -> Builder
    where
        T: Send + Sync + 'static,
    {
        self.inner.providers.add(Provider::of_dispatch(build));
        self
    }

    /// State that all dispatches share. It is built when a command first asks for it, in the context of that command; a
    /// build that fails is tried again by the next who asks.
    ///
    /// What depends on global options or on the environment belongs to [`state`](Builder::state).
    pub fn shared_state<T>(
        mut self,
        build: impl Fn(&Context) -> anyhow::Result<T> + Send + Sync + 'static,
    ) -> Builder
    where
        T: Send + Sync + 'static,
    {
        self.inner.providers.add(Provider::shared(build));
        self
    }

    /// Declares what the caller sets on the [`Context`] before each dispatch, with [`Context::set_state`] or
    /// [`Context::set_globals`]. It changes nothing but what [`assert_host`](crate::testing::assert_host) says.
    pub fn given<T: 'static>(mut self) -> Builder {
        self.inner.given.push(TypeId::of::<T>());
        self
    }

    /// Answers words that name no command, in place of help and the error. The context's arguments are the words;
    /// [`Unresolved::answer`] gives the usual answer.
    pub fn fallback(
        mut self,
        answer: impl Fn(&mut Context, &Unresolved) -> anyhow::Result<ExitStatus> + Send + Sync + 'static,
    ) -> Builder {
        self.inner.fallback = Some(Box::new(answer));
        self
    }

    /// The dispatcher.
    pub fn build(self) -> Dispatcher {
        Dispatcher::new(self.inner)
    }
}
