// What files and other parts of libSystem share about descriptors.
#ifndef FILES_H
#define FILES_H
// A kqueue knows its descriptors: it is told when one is copied or closed. The first gives `copy` back.
int note_copy(int fd, int copy);
void note_closed(int fd);
// AT_FDCWD and the AT_ flags have other numbers there.
int linux_folder(int fd);
int linux_at_flags(int flags);
#endif
