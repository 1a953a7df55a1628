//! What a handler is given: arguments, streams, environment and the host's state, for one dispatch.

use std::any::{Any, TypeId};
use std::ffi::OsString;
use std::mem;
use std::sync::Arc;

use anyhow::Context as _;

use crate::command::Command;
use crate::environment::Environment;
use crate::input::Input;
use crate::output::Output;
use crate::parameter::Need;
use crate::state::{Building, DispatchCells, Providers, Shared};
use crate::streams::Streams;

/// One dispatch: its arguments, streams, environment and state.
///
/// It owns all of it and can be sent to another thread. It can be used for one dispatch after another, and a handler
/// may dispatch again with the context that it was given: what belongs to the outer call is put back afterwards.
pub struct Context {
    streams: Streams,
    environment: Environment,
    call: Call,
    /// What [`Context::set_state`] put here; it goes before the dispatcher's.
    given: Vec<(TypeId, Shared)>,
    building: Building,
}

/// What a context asks the dispatcher that runs. It does not know more of it, so that nothing below the dispatcher does.
pub(crate) trait Host: Any + Send + Sync {
    /// The name that help and hints say.
    fn program(&self) -> &str;
    /// The state that the host provides.
    fn providers(&self) -> &Providers;
}

/// What belongs to one call of `dispatch` and is put back after a nested one.
#[derive(Default)]
pub(crate) struct Call {
    host: Option<Arc<dyn Host>>,
    args: Vec<OsString>,
    command: Option<&'static Command>,
    /// The command's name or alias that was typed, as it was declared.
    name: &'static str,
    method_name: String,
    globals: Vec<Arc<dyn Any + Send + Sync>>,
    cells: DispatchCells,
}

impl Context {
    /// A context with streams and an environment of the caller's.
    pub fn new(streams: Streams, environment: Environment) -> Context {
        Context {
            streams,
            environment,
            call: Call::default(),
            given: Vec::new(),
            building: Building::default(),
        }
    }

    /// The process's streams and environment.
    pub fn process() -> Context {
        Context::new(Streams::process(), Environment::process())
    }

    /// The words after the command's name, as they were typed.
    pub fn args(&self) -> &[OsString] {
        &self.call.args
    }

    /// Replaces the arguments: for a test that calls a handler itself, or a handler that calls another.
    pub fn set_args<W: Into<OsString>>(&mut self, args: impl IntoIterator<Item = W>) {
        self.call.args = args.into_iter().map(Into::into).collect();
    }

    /// The program's name, as the dispatcher was given it; empty outside of a dispatch.
    pub fn program(&self) -> &str {
        self.call.host.as_ref().map_or("", |host| host.program())
    }

    /// The program's name and that of the command, by the name or alias that was typed: `tool container run`.
    pub fn command_path(&self) -> String {
        format!("{} {}", self.program(), self.call.name)
            .trim()
            .to_owned()
    }

    /// The name under which the command was found, `CmdRun`; empty outside of a command.
    pub fn method_name(&self) -> &str {
        &self.call.method_name
    }

    /// The command that runs; `None` outside of one.
    pub fn command(&self) -> Option<&'static Command> {
        self.call.command
    }

    /// The dispatcher that runs.
    pub(crate) fn host(&self) -> Option<&Arc<dyn Host>> {
        self.call.host.as_ref()
    }

    /// Where the command reads from.
    pub fn input(&mut self) -> &mut Input {
        &mut self.streams.input
    }

    /// Where the command's result goes.
    pub fn out(&mut self) -> &mut Output {
        &mut self.streams.out
    }

    /// Where messages, warnings and progress go.
    pub fn err(&mut self) -> &mut Output {
        &mut self.streams.err
    }

    /// All three streams, to clone for a thread or to ask whether they are terminals.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The environment variables of this dispatch.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The host's state of type `T`, built if this is the first time that it is asked for.
    ///
    /// # Errors
    /// The builder's error, or one that names the type and the command if the host has no such state.
    pub fn state<T: Send + Sync + 'static>(&self) -> anyhow::Result<Arc<T>> {
        self.optional_state()?.with_context(|| {
            let command = self.call.command.map_or("", Command::name);
            Need::state::<T>().missing(command)
        })
    }

    /// The host's state of type `T` if it has any, for what a command can do without: a configuration, a cache.
    ///
    /// # Errors
    /// The builder's error.
    pub fn optional_state<T: Send + Sync + 'static>(&self) -> anyhow::Result<Option<Arc<T>>> {
        let type_id = TypeId::of::<T>();
        let given = self
            .given
            .iter()
            .find(|(known, _)| *known == type_id)
            .map(|(_, state)| state.clone());
        let found = match (given, &self.call.host) {
            (Some(state), _) => Some(state),
            (None, Some(host)) => {
                host.providers()
                    .get(type_id, &self.call.cells, &self.building, self)?
            }
            (None, None) => None,
        };
        Ok(found.and_then(|state| state.downcast::<T>().ok()))
    }

    /// Puts state here, before the dispatcher's of the same type: for tests, or for what only one caller has.
    pub fn set_state<T: Send + Sync + 'static>(&mut self, state: Arc<T>) {
        let type_id = TypeId::of::<T>();
        self.given.retain(|(known, _)| *known != type_id);
        self.given.push((type_id, state));
    }

    /// The host's global options of type `G`, once they are parsed.
    pub fn globals<G: 'static>(&self) -> Option<&G> {
        self.call
            .globals
            .iter()
            .find_map(|globals| globals.downcast_ref())
    }

    /// The same, to keep beyond a borrow.
    pub(crate) fn shared_globals<G: Send + Sync + 'static>(&self) -> Option<Arc<G>> {
        self.call
            .globals
            .iter()
            .find_map(|globals| globals.clone().downcast().ok())
    }

    /// Sets the global options of type `G`. What is set before a dispatch can be seen in it; what is set in a dispatch
    /// ends with it.
    pub fn set_globals<G: Send + Sync + 'static>(&mut self, globals: G) {
        self.call.globals.retain(|known| !known.is::<G>());
        self.call.globals.push(Arc::new(globals));
    }

    /// Begins a dispatch; the outer call goes back with [`Context::leave`].
    pub(crate) fn enter(&mut self, host: Arc<dyn Host>) -> Call {
        let cells = host.providers().cells();
        let globals = self.call.globals.clone();
        mem::replace(
            &mut self.call,
            Call {
                host: Some(host),
                globals,
                cells,
                ..Call::default()
            },
        )
    }

    /// Ends a dispatch.
    pub(crate) fn leave(&mut self, outer: Call) {
        self.call = outer;
    }

    /// Enters a command: its words are no longer among the arguments.
    pub(crate) fn enter_command(
        &mut self,
        command: &'static Command,
        name: &'static str,
        words: usize,
    ) {
        self.call.args.drain(..words);
        self.call.method_name = command.method_name();
        self.call.command = Some(command);
        self.call.name = name;
    }

    /// The name or alias that was typed; empty outside of a command.
    pub(crate) fn typed_name(&self) -> &'static str {
        self.call.name
    }
}
