// Exact sums of products on AVX2: pixels by 8·registers columns, all sums in registers. Inputs have 16 bits, weights of 8 bits are
// widened on their way: vpmaddwd adds two products of 16 bits in 32, and nothing saturates. wide_tile.h says what is computed. No
// instruction of the loops touches the stack.
.intel_syntax noprefix
.altmacro

// Two elements of the row in every lane of ymm14. Six rows share a base; rax, rbx and rbp are 1, 3 and 5 pixels.
.macro broadcast_at base, within, offset
  .if \within == 0
    vpbroadcastd ymm14, dword ptr [\base + \offset]
  .elseif \within == 1
    vpbroadcastd ymm14, dword ptr [\base + rax + \offset]
  .elseif \within == 2
    vpbroadcastd ymm14, dword ptr [\base + 2*rax + \offset]
  .elseif \within == 3
    vpbroadcastd ymm14, dword ptr [\base + rbx + \offset]
  .elseif \within == 4
    vpbroadcastd ymm14, dword ptr [\base + 4*rax + \offset]
  .else
    vpbroadcastd ymm14, dword ptr [\base + rbp + \offset]
  .endif
.endm
.macro add_to sum, product
  vpaddd ymm\sum, ymm\sum, ymm\product
.endm
.macro row_products row, registers, offset
  .if \row < 6
    broadcast_at r10, %(\row), \offset
  .else
    broadcast_at r11, %(\row - 6), \offset
  .endif
  .if \registers == 2
    vpmaddwd ymm15, ymm14, ymm12
    vpmaddwd ymm14, ymm14, ymm13
    add_to %(2*\row), 15
    add_to %(2*\row + 1), 14
  .else
    vpmaddwd ymm15, ymm14, ymm12
    add_to \row, 15
  .endif
.endm
.macro repeat_rows first, rows, registers, offset
  .if \first < \rows
    row_products %(\first), \registers, \offset
    repeat_rows %(\first + 1), \rows, \registers, \offset
  .endif
.endm
// Weights that come from the third cache or from memory.
.macro fetch_ahead offset
  prefetcht0 [r8 + 16384 + \offset]
.endm
// Weights are bytes, or words.
.macro load_weights register, bits, offset
  .if \bits == 8
    vpmovsxbw ymm\register, xmmword ptr [r8 + 16*\offset]
  .else
    vmovdqu ymm\register, ymmword ptr [r8 + 32*\offset]
  .endif
.endm
.macro half_step rows, registers, bits, half
  load_weights 12, \bits, %(\registers*\half)
  .if \registers == 2
    load_weights 13, \bits, %(\registers*\half + 1)
  .endif
  repeat_rows 0, \rows, \registers, %(4*\half)
.endm

.macro load_bias sum, offset
  vmovdqu ymm\sum, ymmword ptr [r9 + \offset]
.endm
.macro store_sum sum, offset
  vmovdqu ymmword ptr [r9 + \offset], ymm\sum
.endm
.macro repeat_loads first, count, registers
  .if \first < \count
    load_bias %(\first), %(\first % \registers * 32)
    .if \first % \registers == \registers - 1
      add r9, r15
    .endif
    repeat_loads %(\first + 1), \count, \registers
  .endif
.endm
// 16 places a pixel, of which one register fills 8.
.macro repeat_stores first, count, registers
  .if \first < \count
    store_sum %(\first), %(\first / \registers * 64 + \first % \registers * 32)
    repeat_stores %(\first + 1), \count, \registers
  .endif
.endm

.macro tile name, rows, registers, bits
  .globl \name\rows\()x\registers
  .type \name\rows\()x\registers, @function
  .p2align 6
\name\rows\()x\registers:
  push rbx
  push rbp
  push r15
  mov rsi, [rdi]        // x
  mov rax, [rdi + 8]    // pixel
  mov rdx, [rdi + 16]   // taps
  mov rcx, [rdi + 24]   // tap_count
  mov r8, [rdi + 40]    // weights
  mov r9, [rdi + 48]    // bias
  lea rbx, [rax + 2*rax]
  lea rbp, [rax + 4*rax]
  mov r15, [rdi + 64]   // bias_row
  repeat_loads 0, %(\rows*\registers), \registers
1:
  mov r10, [rdx]
  add r10, rsi
  .if \rows > 6
    lea r11, [r10 + 2*rbx]
  .endif
  mov r15, [rdi + 32]   // steps
  .p2align 5
2:
  fetch_ahead 0
  .if \bits*\registers == 32
    fetch_ahead 64
  .endif
  half_step \rows, \registers, \bits, 0
  half_step \rows, \registers, \bits, 1
  add r8, 4*\bits*\registers
  add r10, 8
  .if \rows > 6
    add r11, 8
  .endif
  dec r15
  jnz 2b
  add rdx, 8
  dec rcx
  jnz 1b
  mov r9, [rdi + 56]    // sums
  repeat_stores 0, %(\rows*\registers), \registers
  pop r15
  pop rbp
  pop rbx
  vzeroupper
  ret
  .size \name\rows\()x\registers, . - \name\rows\()x\registers
.endm

// Weights of 4 bits: x are bytes, where they stand. 32 bytes hold the weights of a step, each with 8 added: 8 columns in the low halves,
// 8 in the high ones. Two products of at most 255·8, eight times, fit 16 bits: vpmaddubsw does not saturate, and vpaddw does not wrap.
// After so many steps they are added to the sums in memory.
.macro load_nibbles
  vmovdqu ymm13, ymmword ptr [r8]
  vpand ymm12, ymm13, ymm10
  vpsrlw ymm13, ymm13, 4
  vpand ymm13, ymm13, ymm10
  vpsubb ymm12, ymm12, ymm11
  vpsubb ymm13, ymm13, ymm11
.endm
.macro row_of_nibbles row
  broadcast_at r10, \row, 0
  vpmaddubsw ymm15, ymm14, ymm12
  vpmaddubsw ymm14, ymm14, ymm13
  add_words_to %(2*\row), 15
  add_words_to %(2*\row + 1), 14
.endm
.macro add_words_to sum, product
  vpaddw ymm\sum, ymm\sum, ymm\product
.endm
.macro repeat_nibbles first, rows
  .if \first < \rows
    row_of_nibbles %(\first)
    repeat_nibbles %(\first + 1), \rows
  .endif
.endm
.macro clear sum
  vpxor xmm\sum, xmm\sum, xmm\sum
.endm
.macro widen sum
  vpmaddwd ymm15, ymm\sum, ymmword ptr [rip + ones]
  vpaddd ymm15, ymm15, ymmword ptr [r9 + 32*\sum]
  vmovdqu ymmword ptr [r9 + 32*\sum], ymm15
  clear \sum
.endm
.macro begin sum
  vmovdqu ymm\sum, ymmword ptr [rsi + \sum % 2 * 32]
  vmovdqu ymmword ptr [r9 + 32*\sum], ymm\sum
  clear \sum
.endm
.macro repeat_each what, first, count
  .if \first < \count
    \what %(\first)
    repeat_each \what, %(\first + 1), \count
  .endif
.endm

.macro tile_of_nibbles rows
  .globl halftone_avx2_nibbles_\rows\()x2
  .type halftone_avx2_nibbles_\rows\()x2, @function
  .p2align 6
halftone_avx2_nibbles_\rows\()x2:
  push rbx
  push rbp
  push r15
  mov rsi, [rdi + 48]   // bias
  mov rax, [rdi + 8]    // pixel
  mov rdx, [rdi + 16]   // taps
  mov rcx, [rdi + 24]   // tap_count
  mov r8, [rdi + 40]    // weights
  mov r9, [rdi + 56]    // sums
  lea rbx, [rax + 2*rax]
  lea rbp, [rax + 4*rax]
  repeat_each begin, 0, %(2*\rows)
  vmovdqu ymm10, ymmword ptr [rip + low_halves]
  vmovdqu ymm11, ymmword ptr [rip + eights]
  mov rsi, [rdi]        // x
1:
  mov r10, [rdx]
  add r10, rsi
  mov r15, [rdi + 32]   // steps
2:
  mov r11d, 8
  cmp r11, r15
  cmova r11, r15
  sub r15, r11
  fetch_ahead 0
  fetch_ahead 64
  fetch_ahead 128
  fetch_ahead 192
  .p2align 5
3:
  load_nibbles
  repeat_nibbles 0, \rows
  add r8, 32
  add r10, 4
  dec r11
  jnz 3b
  repeat_each widen, 0, %(2*\rows)
  test r15, r15
  jnz 2b
  add rdx, 8
  dec rcx
  jnz 1b
  pop r15
  pop rbp
  pop rbx
  vzeroupper
  ret
  .size halftone_avx2_nibbles_\rows\()x2, . - halftone_avx2_nibbles_\rows\()x2
.endm

.section .rodata
.p2align 5
low_halves:
  .fill 32, 1, 15
eights:
  .fill 32, 1, 8
ones:
  .fill 16, 2, 1

.text
.irp rows, 1, 2, 3, 4, 5
  tile_of_nibbles \rows
.endr
.irp rows, 1, 2, 3, 4, 5, 6
  tile halftone_avx2_bytes_, \rows, 2, 8
  tile halftone_avx2_words_, \rows, 2, 16
.endr
.irp rows, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
  tile halftone_avx2_bytes_, \rows, 1, 8
  tile halftone_avx2_words_, \rows, 1, 16
.endr

// rdi rounds of 12 pairs of vpmaddwd and vpaddd on registers alone, each with a sum of its own: what ceiling.h measures.
  .globl halftone_avx2_burst
  .type halftone_avx2_burst, @function
  .p2align 6
halftone_avx2_burst:
  .irp sum, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14
  vpxor ymm\sum, ymm\sum, ymm\sum
  .endr
  .p2align 5
1:
  .irp sum, 0, 2, 4, 6, 8, 10
  vpmaddwd ymm15, ymm13, ymm14
  vpmaddwd ymm12, ymm13, ymm14
  vpaddd ymm\sum, ymm\sum, ymm15
  vpaddd ymm\sum, ymm\sum, ymm12
  .endr
  dec rdi
  jnz 1b
  vzeroupper
  ret
  .size halftone_avx2_burst, . - halftone_avx2_burst
.section .note.GNU-stack,"",@progbits
