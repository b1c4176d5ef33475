; A boot sector for tests/system/test_guest_session.py: speaks the serial protocol, marks the
; screen, echoes what it receives from keyboard and serial line, and ends on command:
;   q  exit code 3 through isa-debug-exit      r  reset      g  garbage event
%include "generated/kernel_lib/io/uart.inc"

bits 16
org 0x7C00

start:  xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, 0x7C00
        cld
        mov ax, 0xB800
        mov es, ax
        mov di, 24 * 160                ; first cell of the last row
        mov word [es:di], 0x0700 + 'O'
        mov word [es:di + 2], 0x0700 + 'K'
        mov si, greeting
        call send_string
input:  mov ah, 1                       ; INT 16h AH=01h: is a key waiting?
        int 0x16
        jnz .key
        mov dx, COM1 + UART_LINE_STATUS
        in al, dx
        test al, UART_STATUS_DATA_READY
        jz input
        mov dx, COM1
        in al, dx
        jmp .echo
.key:   xor ah, ah                      ; INT 16h AH=00h: read it
        int 0x16
.echo:  call send
        cmp al, 'q'
        je exit
        cmp al, 'r'
        je reset
        cmp al, 'g'
        jne input
        mov si, garbage
        call send_string
        jmp input

exit:   mov al, 3
        out 0xF4, al
        jmp $
reset:  jmp 0xFFFF:0

send_string:
        lodsb
        test al, al
        jz .end
        call send
        jmp send_string
.end:   ret
send:   push ax                         ; kept: the caller looks at what it echoed
        mov dx, COM1
        out dx, al
        mov dx, COM1 + UART_LINE_STATUS
.wait:  in al, dx                       ; until it is on the line: "q" must not overtake its echo
        test al, UART_STATUS_TRANSMITTED
        jz .wait
        pop ax
        ret

greeting:
        db 'hello', 13, 10
        db '@bareflow {"event":"boot"}', 13, 10
        db '@bareflow {"event":"text_begin"}', 13, 10
        db 'Once', 13, 10, 'upon'
        db 13, 10, '@bareflow {"event":"text_end","bytes":9}', 13, 10
        db '> ', 0
garbage:
        db 13, 10, '@bareflow nonsense', 13, 10, 0

        times 510 - ($ - $$) db 0
        dw 0xAA55
