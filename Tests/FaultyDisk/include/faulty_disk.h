// Loaded into a server by LD_PRELOAD, this makes calls of the system fail, or the server die, where a test wants it:
//
//   FAULT_CALL    pwrite, sync, rename: which calls count (sync: fsync and fdatasync; pwrite: write too)
//   FAULT_PATH    a part of the file's path
//   FAULT_AT      the number of the call at which it happens, from 1
//   FAULT_ACTION  kill-before, kill-after: SIGKILL, before or after the call; or the number of an error, then and ever after
//   FAULT_SWITCH  a file: all this happens only while it is there
//   FAULT_CLOCK   seconds by which the clock is wrong; or a path from / to a symbolic link that has them as its target
