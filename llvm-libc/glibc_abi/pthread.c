/* Locks for a program with one thread: nobody else can hold them. */

int pthread_mutex_lock(void *mutex);
int pthread_mutex_unlock(void *mutex);
int pthread_rwlock_rdlock(void *lock);
int pthread_rwlock_wrlock(void *lock);
int pthread_rwlock_unlock(void *lock);
int pthread_cond_signal(void *condition);
int pthread_cond_broadcast(void *condition);
int pthread_cond_destroy(void *condition);

/* libstdc++ then counts references without atomic instructions. */
char __libc_single_threaded = 1;

int pthread_mutex_lock(void *mutex) {
    (void)mutex;
    return 0;
}

int pthread_mutex_unlock(void *mutex) {
    (void)mutex;
    return 0;
}

int pthread_rwlock_rdlock(void *lock) {
    (void)lock;
    return 0;
}

int pthread_rwlock_wrlock(void *lock) {
    (void)lock;
    return 0;
}

int pthread_rwlock_unlock(void *lock) {
    (void)lock;
    return 0;
}

int pthread_cond_signal(void *condition) {
    (void)condition;
    return 0;
}

int pthread_cond_broadcast(void *condition) {
    (void)condition;
    return 0;
}

int pthread_cond_destroy(void *condition) {
    (void)condition;
    return 0;
}
