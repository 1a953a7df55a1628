//! Memory of this process that it can do without for a while.

use libc::{c_int, c_void, dl_phdr_info, size_t};

/// Lets go of the pages of our own program's code and constants, which come back from the file when they are needed, and
/// of memory that was freed.
///
/// A process that waits for days has no use for them, but the kernel counts them as its own, and maps sixteen around each
/// one that is touched.
pub(crate) fn release_idle_pages() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the allocator gives back what nobody holds.
    unsafe {
        libc::malloc_trim(0)
    };
    // SAFETY: the function is called for each loaded object before this call returns, and keeps nothing.
    unsafe { libc::dl_iterate_phdr(Some(release_object), std::ptr::null_mut()) };
}

extern "C" fn release_object(object: *mut dl_phdr_info, _: size_t, _: *mut c_void) -> c_int {
    // SAFETY: the caller passes a description that is valid during the call, with as many headers as it says.
    let headers = unsafe {
        let object = &*object;
        let count = usize::from(object.dlpi_phnum);
        std::slice::from_raw_parts(object.dlpi_phdr, count)
            .iter()
            .map(|header| (object.dlpi_addr, *header))
            .collect::<Vec<_>>()
    };
    let page = rustix::param::page_size() as u64;
    for (base, header) in headers {
        // What was written to, or relocated, is not in the file: that is in segments that can be written to, if only at
        // the start.
        if header.p_type != libc::PT_LOAD || header.p_flags & libc::PF_W != 0 {
            continue;
        }
        let first = (base + header.p_vaddr).next_multiple_of(page);
        let end = (base + header.p_vaddr + header.p_memsz) / page * page;
        if end > first {
            // SAFETY: these are whole pages of a private mapping of a file that nobody wrote to, so what is read there is
            // the same before and after.
            unsafe {
                libc::madvise(
                    first as *mut c_void,
                    (end - first) as usize,
                    libc::MADV_DONTNEED,
                )
            };
        }
    }
    0
}
