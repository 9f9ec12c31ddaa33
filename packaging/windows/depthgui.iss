; Inno Setup 6: the installer for Windows. `packaging/dev.py build` runs it with /DVersion and /DBundle.
; Installs for the user who runs it, without administrator rights, or for all who have them and want it.

#ifndef Version
  #error Version is not defined: run packaging/dev.py build
#endif
#ifndef Bundle
  #error Bundle is not defined: run packaging/dev.py build
#endif

[Setup]
; Never changes: it is how a newer version finds an older one.
AppId={{6E0C1F3B-6C6E-4D0B-9C59-5E4B1A4A7D21}
AppName=DepthGUI
AppVersion={#Version}
AppVerName=DepthGUI {#Version}
AppPublisher=depthgui contributors
VersionInfoVersion={#Version}
DefaultDirName={autopf}\DepthGUI
DefaultGroupName=DepthGUI
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
LicenseFile={#SourcePath}\..\..\LICENSE
SetupIconFile={#SourcePath}\..\..\build\icons\depthgui.ico
UninstallDisplayIcon={app}\depthgui.exe
UninstallDisplayName=DepthGUI
Compression=lzma2/max
SolidCompression=yes
WizardStyle=modern
CloseApplications=yes

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; GroupDescription: "{cm:AdditionalIcons}"; Flags: unchecked

[InstallDelete]
; Files of an older version that this one doesn't have any more.
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "{#Bundle}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{autoprograms}\DepthGUI"; Filename: "{app}\depthgui.exe"
Name: "{autoprograms}\DepthGUI (embedded exchange)"; Filename: "{app}\depthgui.exe"; Parameters: "--demo"
Name: "{autodesktop}\DepthGUI"; Filename: "{app}\depthgui.exe"; Tasks: desktopicon

[Run]
Filename: "{app}\depthgui.exe"; Description: "{cm:LaunchProgram,DepthGUI}"; Flags: nowait postinstall skipifsilent
