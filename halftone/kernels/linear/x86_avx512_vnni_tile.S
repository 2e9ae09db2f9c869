// Sums of products on AVX512-VNNI: pixels by 16·registers columns, all sums in registers. sum_tile.h says what is computed.
// One macro makes every size, of bytes by vpdpbusd, of words by vpdpwssd: neither saturates. No instruction of the loops touches the
// stack.
.intel_syntax noprefix
.altmacro

// The row's 4 bytes, or 2 words, in every lane of zmm\reg. Six rows share a base; rax, rbx and rbp are 1, 3 and 5 pixels.
.macro broadcast_at reg, base, within
  .if \within == 0
    vpbroadcastd zmm\reg, dword ptr [\base]
  .elseif \within == 1
    vpbroadcastd zmm\reg, dword ptr [\base + rax]
  .elseif \within == 2
    vpbroadcastd zmm\reg, dword ptr [\base + 2*rax]
  .elseif \within == 3
    vpbroadcastd zmm\reg, dword ptr [\base + rbx]
  .elseif \within == 4
    vpbroadcastd zmm\reg, dword ptr [\base + 4*rax]
  .else
    vpbroadcastd zmm\reg, dword ptr [\base + rbp]
  .endif
.endm
.macro broadcast reg, row
  .if \row < 6
    broadcast_at \reg, r10, %(\row)
  .elseif \row < 12
    broadcast_at \reg, r11, %(\row - 6)
  .elseif \row < 18
    broadcast_at \reg, r12, %(\row - 12)
  .elseif \row < 24
    broadcast_at \reg, r13, %(\row - 18)
  .else
    broadcast_at \reg, r14, %(\row - 24)
  .endif
.endm

.macro multiply product, sum, x, w
  \product zmm\sum, zmm\x, zmm\w
.endm
.macro multiply_memory product, sum, x, offset
  \product zmm\sum, zmm\x, zmmword ptr [r8 + \offset]
.endm
.macro row_products product, row, registers
  .if \registers == 4
    broadcast 31, \row
    multiply \product, %(4*\row), 31, 28
    multiply \product, %(4*\row + 1), 31, 29
    multiply \product, %(4*\row + 2), 31, 30
    multiply_memory \product, %(4*\row + 3), 31, 192
  .elseif \registers == 2
    broadcast %(30 + \row % 2), \row
    multiply \product, %(2*\row), %(30 + \row % 2), 28
    multiply \product, %(2*\row + 1), %(30 + \row % 2), 29
  .else
    broadcast %(29 + \row % 3), \row
    multiply \product, \row, %(29 + \row % 3), 28
  .endif
.endm

.macro load_bias register
  vmovdqu32 zmm\register, zmmword ptr [r9 + 64*\register]
.endm
.macro copy_bias sum, register
  vmovdqa32 zmm\sum, zmm\register
.endm
.macro store_sum sum
  vmovdqu32 zmmword ptr [r9 + 64*\sum], zmm\sum
.endm
.macro load_weights register, offset
  vmovdqu32 zmm\register, zmmword ptr [r8 + \offset]
.endm
// Weights that come from the third cache or from memory: where few pixels share them, nothing else is waited for.
.macro fetch_ahead offset
  prefetcht0 [r8 + 16384 + \offset]
.endm
.macro repeat_rows product, first, rows, registers
  .if \first < \rows
    row_products \product, %(\first), \registers
    repeat_rows \product, %(\first + 1), \rows, \registers
  .endif
.endm
.macro repeat_loads first, count
  .if \first < \count
    load_bias %(\first)
    repeat_loads %(\first + 1), \count
  .endif
.endm
.macro repeat_copies first, count, registers
  .if \first < \count
    copy_bias %(\first), %(\first % \registers)
    repeat_copies %(\first + 1), \count, \registers
  .endif
.endm
.macro repeat_stores first, count
  .if \first < \count
    store_sum %(\first)
    repeat_stores %(\first + 1), \count
  .endif
.endm

.macro tile name, product, rows, registers
  .globl \name\rows\()x\registers
  .type \name\rows\()x\registers, @function
  .p2align 6
\name\rows\()x\registers:
  push rbx
  push rbp
  push r12
  push r13
  push r14
  push r15
  mov rsi, [rdi]        // x
  mov rax, [rdi + 8]    // pixel
  mov rdx, [rdi + 16]   // taps
  mov rcx, [rdi + 24]   // tap_count
  mov r8, [rdi + 40]    // weights
  mov r9, [rdi + 48]    // bias
  lea rbx, [rax + 2*rax]
  lea rbp, [rax + 4*rax]
  repeat_loads 0, \registers
  repeat_copies \registers, %(\rows*\registers), \registers
1:
  mov r10, [rdx]
  add r10, rsi
  .if \rows > 6
    lea r11, [r10 + 2*rbx]
  .endif
  .if \rows > 12
    lea r12, [r11 + 2*rbx]
  .endif
  .if \rows > 18
    lea r13, [r12 + 2*rbx]
  .endif
  .if \rows > 24
    lea r14, [r13 + 2*rbx]
  .endif
  mov r15, [rdi + 32]   // steps
  .p2align 5
2:
  load_weights 28, 0
  .if \registers > 1
    load_weights 29, 64
  .endif
  .if \registers > 2
    load_weights 30, 128
    fetch_ahead 0
    fetch_ahead 64
    fetch_ahead 128
    fetch_ahead 192
  .endif
  repeat_rows \product, 0, \rows, \registers
  add r8, 64*\registers
  add r10, 4
  .if \rows > 6
    add r11, 4
  .endif
  .if \rows > 12
    add r12, 4
  .endif
  .if \rows > 18
    add r13, 4
  .endif
  .if \rows > 24
    add r14, 4
  .endif
  dec r15
  jnz 2b
  add rdx, 8
  dec rcx
  jnz 1b
  mov r9, [rdi + 56]    // sums
  repeat_stores 0, %(\rows*\registers)
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbp
  pop rbx
  vzeroupper
  ret
  .size \name\rows\()x\registers, . - \name\rows\()x\registers
.endm

.macro tiles rows, registers
  tile halftone_avx512_vnni_, vpdpbusd, \rows, \registers
  tile halftone_avx512_vnni_words_, vpdpwssd, \rows, \registers
.endm

.text
.irp rows, 1, 2, 3, 4, 5, 6, 7
  tiles \rows, 4
.endr
.irp rows, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
  tiles \rows, 2
.endr
.irp rows, 1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28
  tiles \rows, 1
.endr

// rdi rounds of 28 products on registers alone, each with a sum of its own: what ceiling.h measures.
  .globl halftone_avx512_vnni_burst
  .type halftone_avx512_vnni_burst, @function
  .p2align 6
halftone_avx512_vnni_burst:
  .irp sum, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 30, 31
  vpxord zmm\sum, zmm\sum, zmm\sum
  .endr
  .p2align 5
1:
  .irp sum, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
  vpdpbusd zmm\sum, zmm30, zmm31
  .endr
  dec rdi
  jnz 1b
  vzeroupper
  ret
  .size halftone_avx512_vnni_burst, . - halftone_avx512_vnni_burst
.section .note.GNU-stack,"",@progbits
