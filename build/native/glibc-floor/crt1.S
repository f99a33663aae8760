/*
 * Entry point of the glibc2.17 executable, instead of the build machine's crt1.o.
 *
 * Since 2.34 crt1.o passes no init and fini functions to __libc_start_main and asks for its version of 2.34, which runs
 * the constructors by itself. Older ones call what they are given, so we give them ours (compat.c); newer ones still do
 * for a program that asks for the version of 2.2.5.
 */
    .text
    .globl _start
    .type _start, @function
_start:
    xorl %ebp, %ebp                 /* outermost frame */
    movq %rdx, %r9                  /* rtld_fini: the dynamic loader's */
    popq %rsi                       /* argc */
    movq %rsp, %rdx                 /* argv */
    andq $-16, %rsp
    pushq %rax                      /* keeps the stack aligned */
    pushq %rsp                      /* stack_end */
    leaq compat_fini(%rip), %r8
    leaq compat_init(%rip), %rcx
    leaq main(%rip), %rdi
    call *__libc_start_main@GOTPCREL(%rip)
    hlt
    .size _start, . - _start
    .section .note.GNU-stack, "", @progbits
