use std::any::Any;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Object, create, free, locate};
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

/// Runs the C function `name`, which creates a workspace with what `make` takes from its owner; `what` names the owner in messages.
///
/// # Safety
/// As [`super::borrow`] for the owner, and as [`create`].
pub(crate) unsafe fn create_workspace<T: Object, S: Any + Send>(
    name: &str,
    owner: *const T,
    what: &str,
    workspace: *mut *mut pcml_workspace,
    make: impl FnOnce(&T) -> Result<S>,
) -> i32 {
    unsafe {
        create(name, workspace, "workspace", || {
            let owner = &*locate(owner, what)?;
            let scratch = Box::new(make(&owner.value)?);
            Ok(pcml_workspace { owner: owner.id, busy: AtomicBool::new(false), scratch })
        })
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

/// The owner of a workspace, and the scratch in it; `what` names the owner in messages, `creator` the function that makes a fitting
/// workspace.
///
/// # Safety
/// The handles are NULL or point to objects of this library that nobody frees, nor writes the owner, during `'a`.
pub(crate) unsafe fn lease<'a, T: Object, S: Any>(
    owner: *const T,
    what: &str,
    workspace: *mut pcml_workspace,
    creator: &str,
) -> Result<(&'a T, Lease<'a, S>)> {
    // SAFETY: live objects; the caller promises the rest.
    let (owner, workspace) = unsafe { (&*locate(owner, what)?, &raw mut (*locate(workspace, "workspace")?).value) };
    // SAFETY: live; only the flag is touched until the flag is ours.
    let busy: &'a AtomicBool = unsafe { &(*workspace).busy };
    if busy.swap(true, Ordering::Acquire) {
        return fail!(Handle, "workspace is in use by another thread, expected one workspace a thread");
    }
    // SAFETY: the flag is ours until the lease drops.
    let (found, scratch) = unsafe { ((*workspace).owner, &mut (*workspace).scratch) };
    match scratch.downcast_mut::<S>() {
        Some(scratch) if found == owner.id => Ok((&owner.value, Lease { busy, scratch })),
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
