; The installer for Windows: for one user, without rights of an administrator. Made by packaging/build.
; As the program itself; Windows of 32 bits could start neither.
Target amd64-unicode
!include MUI2.nsh
!include WinMessages.nsh

Name "hortifruti ${VERSION}"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\hortifruti"
InstallDirRegKey HKCU "Software\hortifruti" "Pasta"
RequestExecutionLevel user
SetCompressor /SOLID lzma
BrandingText "hortifruti ${VERSION}"
VIProductVersion "${VERSION}.0"

!define MUI_WELCOMEPAGE_TEXT "O hortifruti guarda o estoque de um hortifruti e o atende por rede, no navegador e no terminal.$\r$\n$\r$\nNão é preciso ser administrador: ele é instalado só para você. Os dados da loja não são tocados."
!define MUI_FINISHPAGE_TEXT "Para começar, abra um terminal novo na pasta da loja e escreva:$\r$\n$\r$\nhortifruti serve$\r$\n$\r$\ne, no navegador, http://localhost:8082"
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "PortugueseBR"
VIAddVersionKey /LANG=${LANG_PORTUGUESEBR} ProductName "hortifruti"
VIAddVersionKey /LANG=${LANG_PORTUGUESEBR} ProductVersion "${VERSION}"
VIAddVersionKey /LANG=${LANG_PORTUGUESEBR} FileVersion "${VERSION}"
VIAddVersionKey /LANG=${LANG_PORTUGUESEBR} FileDescription "Instalador do hortifruti"
VIAddVersionKey /LANG=${LANG_PORTUGUESEBR} LegalCopyright "MIT OR Apache-2.0"

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\hortifruti"
; A path longer than NSIS's own strings would be cut, so PATH is left alone then.
!define PATH_CHARS_MAX 900

Section "hortifruti"
  SetOutPath "$INSTDIR"
  ClearErrors
  ; A program that runs cannot be replaced, so its failure ends the installation before anything else is changed.
  SetOverwrite try
  File "${FILES}\hortifruti.exe"
  SetOverwrite on
  IfErrors 0 +2
    Abort "O hortifruti está em uso. Pare o servidor (Ctrl-C, ou hortifruti stop) e instale de novo; nada foi alterado."
  File "${FILES}\*.txt"
  SetOutPath "$INSTDIR\man"
  File "${FILES}\man\*.1"
  SetOutPath "$INSTDIR\completions"
  File "${FILES}\completions\*"
  SetOutPath "$INSTDIR"
  WriteUninstaller "$INSTDIR\desinstalar.exe"
  WriteRegStr HKCU "Software\hortifruti" "Pasta" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "hortifruti"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "hortifruti"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\desinstalar.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\desinstalar.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1

  ; New terminals find the program by PATH.
  ReadRegStr $0 HKCU "Environment" "Path"
  StrLen $1 $0
  IntCmp $1 ${PATH_CHARS_MAX} full short full
  short:
    Push "$0;"
    Push "$INSTDIR;"
    Call Contains
    Pop $2
    StrCmp $2 "1" known
    StrCmp $0 "" 0 +3
      WriteRegExpandStr HKCU "Environment" "Path" "$INSTDIR"
      Goto told
    WriteRegExpandStr HKCU "Environment" "Path" "$0;$INSTDIR"
  told:
    SendMessage ${HWND_BROADCAST} ${WM_WININICHANGE} 0 "STR:Environment" /TIMEOUT=2000
    Goto known
  full:
    DetailPrint "O PATH já é longo e ficou como estava; acrescente $INSTDIR a ele, se quiser."
  known:
SectionEnd

; Whether a text contains another: "1" or "0".
Function Contains
  Exch $R1
  Exch
  Exch $R0
  Push $R2
  Push $R3
  Push $R4
  StrLen $R2 $R1
  StrCpy $R3 0
  loop:
    StrCpy $R4 $R0 $R2 $R3
    StrCmp $R4 $R1 found
    StrCmp $R4 "" missing
    IntOp $R3 $R3 + 1
    Goto loop
  found:
    StrCpy $R0 "1"
    Goto done
  missing:
    StrCpy $R0 "0"
  done:
  Pop $R4
  Pop $R3
  Pop $R2
  Exch
  Pop $R1
  Exch $R0
FunctionEnd

Section "Uninstall"
  ClearErrors
  Delete "$INSTDIR\hortifruti.exe"
  IfErrors 0 +2
    Abort "O hortifruti está em uso. Pare o servidor e desinstale de novo."
  Delete "$INSTDIR\*.txt"
  Delete "$INSTDIR\man\*.1"
  RMDir "$INSTDIR\man"
  Delete "$INSTDIR\completions\*"
  RMDir "$INSTDIR\completions"
  Delete "$INSTDIR\desinstalar.exe"
  ; Only if nothing of the shop is there.
  RMDir "$INSTDIR"
  DeleteRegKey HKCU "Software\hortifruti"
  DeleteRegKey HKCU "${UNINSTALL}"

  ; PATH without this folder, from its end or from between.
  ReadRegStr $0 HKCU "Environment" "Path"
  StrLen $1 "$INSTDIR"
  StrCpy $2 $0 $1
  StrCmp $0 "$INSTDIR" 0 +3
    DeleteRegValue HKCU "Environment" "Path"
    Goto path_done
  IntOp $1 $1 + 1
  StrCpy $3 $0 "" -$1
  StrCmp $3 ";$INSTDIR" 0 path_done
    StrCpy $0 $0 -$1
    WriteRegExpandStr HKCU "Environment" "Path" "$0"
  path_done:
  SendMessage ${HWND_BROADCAST} ${WM_WININICHANGE} 0 "STR:Environment" /TIMEOUT=2000
SectionEnd
