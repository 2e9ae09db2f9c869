// Sums of products on AVX512-VNNI: pixels by 16·registers columns, all sums in registers. sum_tile.h says what is computed.
// One macro makes every size, of bytes by vpdpbusd, of words by vpdpwssd: neither saturates. `form` is bytes, words or nibbles: a line
// of nibbles has 16ths of two steps' weights, the first step's in the low halves of its bytes. No instruction of the loops touches the
// stack.
.intel_syntax noprefix
.altmacro
#include "halftone/kernels/linear/x86_avx512_half_up.inc"

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

.macro multiply form, sum, x, w
  .ifc \form, words
    vpdpwssd zmm\sum, zmm\x, zmm\w
  .else
    vpdpbusd zmm\sum, zmm\x, zmm\w
  .endif
.endm
// The last of four registers of weights is not loaded, but for nibbles.
.macro multiply_last form, sum, x
  .ifc \form, bytes
    vpdpbusd zmm\sum, zmm\x, zmmword ptr [r8 + 192]
  .endif
  .ifc \form, words
    vpdpwssd zmm\sum, zmm\x, zmmword ptr [r8 + 192]
  .endif
  .ifc \form, nibbles
    vpdpbusd zmm\sum, zmm\x, zmm27
  .endif
.endm
// To sums from number `bank` on.
.macro row_products form, row, registers, bank
  .if \registers == 4
    broadcast 31, \row
    multiply \form, %(\bank + 4*\row), 31, 28
    multiply \form, %(\bank + 4*\row + 1), 31, 29
    multiply \form, %(\bank + 4*\row + 2), 31, 30
    multiply_last \form, %(\bank + 4*\row + 3), 31
  .elseif \registers == 2
    broadcast %(30 + \row % 2), \row
    multiply \form, %(\bank + 2*\row), %(30 + \row % 2), 28
    multiply \form, %(\bank + 2*\row + 1), %(30 + \row % 2), 29
  .else
    broadcast %(29 + \row % 3), \row
    multiply \form, %(\bank + \row), %(29 + \row % 3), 28
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
// 16 times the weights of the first step, and of the second: zmm26 keeps the high halves of bytes.
.macro load_low register, offset
  vpsllw zmm\register, zmmword ptr [r8 + \offset], 4
  vpandd zmm\register, zmm\register, zmm26
.endm
.macro load_high register, offset
  vpandd zmm\register, zmm26, zmmword ptr [r8 + \offset]
.endm
// Weights that come from the third cache or from memory. Where few pixels share them, nothing else is waited for: all of the lines that are
// used 16 KiB later. Else a line a step of the next panel, which is at r9.
.macro fetch rows
  .if \rows <= 3
    prefetcht0 [r8 + 16384]
    prefetcht0 [r8 + 16384 + 64]
    prefetcht0 [r8 + 16384 + 128]
    prefetcht0 [r8 + 16384 + 192]
  .else
    prefetcht1 [r9]
    add r9, 64
  .endif
.endm
.macro repeat_rows form, first, rows, registers, bank
  .if \first < \rows
    row_products \form, %(\first), \registers, \bank
    repeat_rows \form, %(\first + 1), \rows, \registers, \bank
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

.macro next_inputs rows
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
.endm
.macro step form, rows, registers, bank
  load_weights 28, 0
  .if \registers > 1
    load_weights 29, 64
  .endif
  .if \registers > 2
    load_weights 30, 128
    fetch \rows
  .endif
  repeat_rows \form, 0, \rows, \registers, \bank
  add r8, 64*\registers
  next_inputs \rows
.endm
.macro step_of_nibbles load, rows, bank
  \load 28, 0
  \load 29, 64
  \load 30, 128
  \load 27, 192
  repeat_rows nibbles, 0, \rows, 4, \bank
  next_inputs \rows
.endm
// Both steps of a line, to sums of `bank` the second.
.macro line_of_nibbles rows, bank
  fetch \rows
  step_of_nibbles load_low, \rows, 0
  step_of_nibbles load_high, \rows, \bank
  add r8, 256
.endm

// Sums from number `bank` on: a product waits for the one that was added to its sum before, and few sums would wait all the time.
.macro clear_sum sum
  vpxord zmm\sum, zmm\sum, zmm\sum
.endm
.macro add_sum sum, other
  vpaddd zmm\sum, zmm\sum, zmm\other
.endm
.macro clear_bank first, last
  .if \first < \last
    clear_sum %(\first)
    clear_bank %(\first + 1), \last
  .endif
.endm
.macro add_bank first, bank
  .if \first < \bank
    add_sum %(\first), %(\bank + \first)
    add_bank %(\first + 1), \bank
  .endif
.endm
// All steps of a tap, r15 of them; with two banks two at a time.
.macro steps form, rows, registers, bank
  .ifc \form, nibbles
2:
    line_of_nibbles \rows, \bank
    dec r15
    jnz 2b
  .elseif \bank > 0
    sub r15, 1
    jle 3f
2:
    step \form, \rows, \registers, 0
    step \form, \rows, \registers, \bank
    sub r15, 2
    jg 2b
    jnz 4f
3:
    step \form, \rows, \registers, 0
4:
  .else
2:
    step \form, \rows, \registers, 0
    dec r15
    jnz 2b
  .endif
.endm

.macro tile form, rows, registers
  .if \rows*\registers <= 12
    tile_of \form, \rows, \registers, %(\rows*\registers)
  .else
    tile_of \form, \rows, \registers, 0
  .endif
.endm
.macro tile_of form, rows, registers, bank
  .globl halftone_avx512_vnni_\form\()_\rows\()x\registers
  .type halftone_avx512_vnni_\form\()_\rows\()x\registers, @function
  .p2align 6
halftone_avx512_vnni_\form\()_\rows\()x\registers:
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
  clear_bank \bank, %(2*\bank)
  .ifc \form, nibbles
    mov r15d, 0xF0F0F0F0
    vpbroadcastd zmm26, r15d
  .endif
  mov r9, [rdi + 104]   // next
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
  steps \form, \rows, \registers, \bank
  add rdx, 8
  dec rcx
  jnz 1b
  add_bank 0, \bank
  mov r9, [rdi + 64]    // columns
  test r9, r9
  jz 5f
  end_tile \rows, \registers
  jmp 6f
5:
  mov r9, [rdi + 56]    // sums
  repeat_stores 0, %(\rows*\registers)
6:
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbp
  pop rbx
  vzeroupper
  ret
  .size halftone_avx512_vnni_\form\()_\rows\()x\registers, . - halftone_avx512_vnni_\form\()_\rows\()x\registers
.endm

.text
.irp form, bytes, words
  .irp rows, 1, 2, 3, 4, 5, 6, 7
    tile \form, \rows, 4
  .endr
  .irp rows, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
    tile \form, \rows, 2
  .endr
  .irp rows, 1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28
    tile \form, \rows, 1
  .endr
.endr
.irp rows, 1, 2, 3, 4, 5, 6
  tile nibbles, \rows, 4
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
