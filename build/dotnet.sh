# Sourced by the scripts at the root, in it: how the .NET SDK behaves in a script.

# Shells, make and MSBuild all read the paths that this directory begins, and to each something else is special.
if [[ $PWD == *[!\ -~]* || $PWD == *[\"\'\`\$\\\;%*?\<\>\|\!\#=:,\(\)\[\]{}^]* ]]; then
  printf "%s: cannot build in '%s'. Its path may have ASCII letters, digits, blanks and any of / . _ - + @ ~ &: move it.\n" "$(basename "$0")" "$PWD" >&2
  exit 1
fi

export DOTNET_NOLOGO=1
export DOTNET_CLI_TELEMETRY_OPTOUT=1
export DOTNET_CLI_UI_LANGUAGE=en
# A new machine may have no ICU, and nothing here needs it.
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-1}
# Nothing may stay behind when a script ends: no MSBuild nodes, no compiler server.
export MSBUILDDISABLENODEREUSE=1
export UseSharedCompilation=false

if ! command -v dotnet >/dev/null; then
  echo "$(basename "$0") needs the .NET SDK, version 10: https://dotnet.microsoft.com/download" >&2
  exit 1
fi
