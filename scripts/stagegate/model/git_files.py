"""How Git marks what is no plain file: modes as `git ls-tree` writes them, and the pointers of Git LFS."""

PLAIN, EXECUTABLE = "100644", "100755"
FOLDER, LINK, SUBMODULE = "040000", "120000", "160000"
LFS_POINTER = b"version https://git-lfs.github.com/spec/"  # how such a file begins
