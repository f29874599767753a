use std::any::Any;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Object, free, locate};
use crate::error::{Result, fail};

/// Scratch memory of a plan or a projector: the only thing that changes in a hot call. One per thread; it serves the object
/// that created it and no other. Calls that find it in use by another thread return PCML_STATUS_HANDLE.
pub struct pcml_workspace {
    owner: u64,
    busy: AtomicBool,
    scratch: Box<dyn Any + Send>,
}

impl Object for pcml_workspace {
    const TAG: u64 = 0x7063_6d6c_7773_7001;
    const NAME: &'static str = "pcml_workspace";
}

/// A number for an object that has workspaces; never given twice.
pub(crate) fn new_owner() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl pcml_workspace {
    pub(crate) fn new<S: Any + Send>(owner: u64, scratch: S) -> Self {
        pcml_workspace { owner, busy: AtomicBool::new(false), scratch: Box::new(scratch) }
    }
}

/// A workspace's scratch for the time of one call.
pub(crate) struct Lease<'a, S> {
    busy: &'a AtomicBool,
    scratch: &'a mut S,
}

impl<S> Deref for Lease<'_, S> {
    type Target = S;
    fn deref(&self) -> &S {
        self.scratch
    }
}

impl<S> DerefMut for Lease<'_, S> {
    fn deref_mut(&mut self) -> &mut S {
        self.scratch
    }
}

impl<S> Drop for Lease<'_, S> {
    fn drop(&mut self) {
        self.busy.store(false, Ordering::Release);
    }
}

/// Takes the scratch that `owner` put there; `creator` names the function that makes a fitting workspace.
///
/// # Safety
/// The handle is NULL or points to an object of this library that nobody frees during `'a`.
pub(crate) unsafe fn lease<'a, S: Any>(
    workspace: *mut pcml_workspace,
    owner: u64,
    creator: &str,
) -> Result<Lease<'a, S>> {
    let workspace = locate(workspace, "workspace")?;
    // SAFETY: live; only the flag is touched until the flag is ours.
    let busy: &'a AtomicBool = unsafe { &(*workspace).busy };
    if busy.swap(true, Ordering::Acquire) {
        return fail!(Handle, "workspace is in use by another thread, expected one workspace a thread");
    }
    // SAFETY: the flag is ours until the lease drops.
    let (found, scratch) = unsafe { ((*workspace).owner, &mut (*workspace).scratch) };
    match scratch.downcast_mut::<S>() {
        Some(scratch) if found == owner => Ok(Lease { busy, scratch }),
        _ => {
            busy.store(false, Ordering::Release);
            fail!(Mismatch, "workspace belongs to another object, expected one from {creator} of this one")
        }
    }
}

/// Frees a workspace. NULL is fine; freeing twice is misuse. Threads: nobody else uses the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pcml_workspace_free(workspace: *mut pcml_workspace) {
    unsafe { free("pcml_workspace_free", workspace) }
}
