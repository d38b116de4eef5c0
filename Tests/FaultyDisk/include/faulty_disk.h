// Loaded into a server by LD_PRELOAD, this makes system calls fail, or the server die, at the point that a test
// chooses:
//
//   FAULT_CALL    pwrite, sync, rename: which calls count (sync: fsync and fdatasync; pwrite: write too)
//   FAULT_PATH    a part of the file's path
//   FAULT_AT      the number of the call at which it happens, from 1
//   FAULT_ACTION  kill-before, kill-after: SIGKILL before or after the call; or an error number, from then on
//   FAULT_SWITCH  a file: faults happen only while it exists
//   FAULT_CLOCK   the clock's error in seconds; or the absolute path of a symbolic link that has them as its target
//   FAULT_TIME    the same for time that passes: the clock that nobody sets goes with it
