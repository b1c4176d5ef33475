/* The counts of std::shared_ptr and std::weak_ptr. Each is one less than the number of owners. */
#include <memory>

_LIBCPP_BEGIN_NAMESPACE_STD

__shared_count::~__shared_count() {}

__shared_weak_count::~__shared_weak_count() {}

/* All shared owners together are one weak owner. */
void __shared_weak_count::__release_weak() noexcept {
    if (__libcpp_atomic_refcount_decrement(__shared_weak_owners_) == -1)
        __on_zero_shared_weak();
}

__shared_weak_count *__shared_weak_count::lock() noexcept {
    if (__shared_owners_ == -1)
        return nullptr;
    __shared_owners_++;
    return this;
}

const void *__shared_weak_count::__get_deleter(const type_info &) const noexcept {
    return nullptr;
}

_LIBCPP_END_NAMESPACE_STD
