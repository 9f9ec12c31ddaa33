#!/bin/bash
# Puts DepthGUI.app into a disk image: make_dmg.sh APP LICENSES TARGET.dmg (macOS only).
#
# DEPTHGUI_CODESIGN_IDENTITY  "Developer ID Application: ..." signs with it; without, the signature is ad hoc.
# DEPTHGUI_NOTARY_PROFILE     a profile of `notarytool store-credentials`; with it, Apple's notary is asked and the
#                             answer stapled to the image. Needs an identity.
set -euo pipefail
app=$1 licences=$2 target=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
identity=${DEPTHGUI_CODESIGN_IDENTITY:-}

cp "$licences" "$app/Contents/Resources/LICENSES.txt"
# The file just added broke the seal that PyInstaller put on the application.
if [[ -n $identity ]]; then
    codesign --force --deep --timestamp --options runtime --entitlements "$here/entitlements.plist" \
        --sign "$identity" "$app"
else
    codesign --force --deep --sign - "$app"
fi
codesign --verify --deep --strict "$app"

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
cp -R "$app" "$staging/"
ln -s /Applications "$staging/Applications"
rm -f "$target"
hdiutil create -volname DepthGUI -srcfolder "$staging" -format UDZO -imagekey zlib-level=9 -quiet "$target"

if [[ -n $identity ]]; then
    codesign --timestamp --sign "$identity" "$target"
fi
if [[ -n ${DEPTHGUI_NOTARY_PROFILE:-} ]]; then
    xcrun notarytool submit "$target" --keychain-profile "$DEPTHGUI_NOTARY_PROFILE" --wait
    xcrun stapler staple "$target"
fi
