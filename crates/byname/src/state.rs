//! What a host gives its commands: values found by their type and built when first asked for.

use std::any::{Any, TypeId};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use once_cell::sync::OnceCell;

use crate::context::Context;

pub(crate) type Shared = Arc<dyn Any + Send + Sync>;
type Build = Box<dyn Fn(&Context) -> anyhow::Result<Shared> + Send + Sync>;

/// One type of state, how to build it and, for what dispatches share, the built value.
pub(crate) struct Provider {
    type_id: TypeId,
    build: Build,
    /// `None` for state of one dispatch, whose cell is in [`DispatchCells`].
    shared: Option<OnceCell<Shared>>,
}

impl Provider {
    /// State built once and shared by all dispatches. A build that fails is tried again when next asked for.
    pub(crate) fn shared<T, F>(build: F) -> Provider
    where
        T: Send + Sync + 'static,
        F: Fn(&Context) -> anyhow::Result<T> + Send + Sync + 'static,
    {
        Provider {
            shared: Some(OnceCell::new()),
            ..Provider::of_dispatch(build)
        }
    }

    /// State built once in each dispatch.
    pub(crate) fn of_dispatch<T, F>(build: F) -> Provider
    where
        T: Send + Sync + 'static,
        F: Fn(&Context) -> anyhow::Result<T> + Send + Sync + 'static,
    {
        let build: Build = Box::new(move |cx| Ok(Arc::new(build(cx)?)));
        Provider {
            type_id: TypeId::of::<T>(),
            build,
            shared: None,
        }
    }
}

/// All state that a dispatcher knows how to build.
#[derive(Default)]
pub(crate) struct Providers {
    providers: Vec<Provider>,
}

impl Providers {
    /// Adds a provider; the last one of a type counts.
    pub(crate) fn add(&mut self, provider: Provider) {
        self.providers
            .retain(|known| known.type_id != provider.type_id);
        self.providers.push(provider);
    }

    /// Whether state of this type can be built.
    pub(crate) fn has(&self, type_id: TypeId) -> bool {
        self.providers
            .iter()
            .any(|provider| provider.type_id == type_id)
    }

    /// Empty cells for the state of one dispatch.
    pub(crate) fn cells(&self) -> DispatchCells {
        DispatchCells(self.providers.iter().map(|_| OnceCell::new()).collect())
    }

    /// The value of a type, built if need be; `None` if nothing here builds it.
    pub(crate) fn get(
        &self,
        type_id: TypeId,
        cells: &DispatchCells,
        building: &Building,
        cx: &Context,
    ) -> anyhow::Result<Option<Shared>> {
        let Some(at) = self
            .providers
            .iter()
            .position(|provider| provider.type_id == type_id)
        else {
            return Ok(None);
        };
        let provider = &self.providers[at];
        let cell = provider.shared.as_ref().unwrap_or(&cells.0[at]);
        if let Some(built) = cell.get() {
            return Ok(Some(built.clone()));
        }
        let _running = building.enter(type_id)?;
        cell.get_or_try_init(|| (provider.build)(cx))
            .cloned()
            .map(Some)
    }
}

/// The state that one dispatch has built, in the order of its dispatcher's providers.
#[derive(Default)]
pub(crate) struct DispatchCells(Vec<OnceCell<Shared>>);

/// Which builders run in this context: one that asks for its own type would wait for itself for ever.
#[derive(Default)]
pub(crate) struct Building(Mutex<Vec<(ThreadId, TypeId)>>);

impl Building {
    fn enter(&self, type_id: TypeId) -> anyhow::Result<Running<'_>> {
        let entry = (thread::current().id(), type_id);
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        anyhow::ensure!(
            !entries.contains(&entry),
            "the state's builder asks for the state that it builds"
        );
        entries.push(entry);
        Ok(Running {
            building: self,
            entry,
        })
    }
}

/// Leaves the list again, after a panic too.
struct Running<'b> {
    building: &'b Building,
    entry: (ThreadId, TypeId),
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut entries = self
            .building
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| *entry != self.entry);
    }
}
