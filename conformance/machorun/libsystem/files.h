// What files and other parts of libSystem share about descriptors.
#ifndef FILES_H
#define FILES_H
// AT_FDCWD and the AT_ flags have other numbers there.
int linux_folder(int fd);
int linux_at_flags(int flags);
#endif
