#!/bin/sh
# embed.sh FILE... : writes an assembler file on standard output that holds every FILE, terminated, and the table
# embed_files[] of include/massrevoke/embed.h over them, in the order given.
set -eu
echo '    .section .rodata'
i=0
for file; do
    printf '.Lname%d: .asciz "%s"\n.Ldata%d: .incbin "%s"\n.Lend%d: .byte 0\n' "$i" "$file" "$i" "$file" "$i"
    i=$((i + 1))
done
echo '    .section .data.rel.ro,"aw"'
echo '    .balign 8'
echo '    .globl embed_files'
echo '    .type embed_files, @object'
echo 'embed_files:'
i=0
for file; do
    printf '    .quad .Lname%d, .Ldata%d, .Lend%d - .Ldata%d\n' "$i" "$i" "$i" "$i"
    i=$((i + 1))
done
echo '    .quad 0, 0, 0'
echo '    .size embed_files, . - embed_files'
echo '    .section .note.GNU-stack,"",@progbits'
