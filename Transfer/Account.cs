using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Pelican.Transfer;

/// <summary>
/// Who runs this process. <c>Environment.UserName</c> will not do: the static executable has no LDAP or SSSD module, so
/// that .NET finds no user there and throws.
/// </summary>
/// <param name="UserId">The real user id.</param>
/// <param name="Name">Login name; the number where nothing knows a name.</param>
/// <param name="Home">Home directory, absolute; null where nothing knows one.</param>
internal sealed partial record Account(uint UserId, string Name, string? Home)
{
    /// <summary>What stands in HOME and in passwd for no home at all, as in Debian.</summary>
    public const string NoHome = "/nonexistent";

    private const string PasswdFile = "/etc/passwd";
    private const string Getent = "/usr/bin/getent";

    // A directory server that does not answer must not hang every command.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Finds who runs this process: from the environment, then /etc/passwd, then the host's name service.</summary>
    public static Account Find() => Find(
        Environment.GetEnvironmentVariable, GetUserId(), File.Exists(PasswdFile) ? File.ReadLines(PasswdFile) : [], AskHost);

    /// <summary>The same, told where to look.</summary>
    /// <param name="variable">Value of an environment variable; null when unset.</param>
    /// <param name="userId">The real user id.</param>
    /// <param name="passwd">Lines in the format of passwd(5); read only if the environment does not say all.</param>
    /// <param name="askHost">Line for a user id, or anything else when there is none; asked last.</param>
    internal static Account Find(
        Func<string, string?> variable, uint userId, IEnumerable<string> passwd, Func<uint, string> askHost)
    {
        string? home = variable("HOME") is { } path && Path.IsPathRooted(path) ? path : null;
        string? name = NullIfEmpty(variable("USER")) ?? NullIfEmpty(variable("LOGNAME"));
        if (home is null || name is null)
        {
            string[]? fields = passwd.Select(line => FieldsOf(line, userId)).FirstOrDefault(fields => fields is not null)
                ?? FieldsOf(askHost(userId), userId);
            name ??= fields?[0];
            home ??= NullIfEmpty(fields?[5]);
        }

        return new Account(userId, name ?? userId.ToString(CultureInfo.InvariantCulture), home == NoHome ? null : home);
    }

    // name:password:uid:gid:comment:home:shell
    private static string[]? FieldsOf(string line, uint userId)
    {
        string[] fields = line.TrimEnd().Split(':');
        return fields.Length == 7 && fields[0].Length > 0
            && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint id) && id == userId
            ? fields : null;
    }

    // getent(1) is linked to the host's C library and finds whoever can log in here.
    private static string AskHost(uint userId)
    {
        ProcessStartInfo question = new(Getent, ["passwd", userId.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using Process getent = Process.Start(question)!;
            getent.StandardInput.Close();
            if (getent.WaitForExit(Patience))
            {
                return getent.StandardOutput.ReadToEnd();
            }

            getent.Kill();
            return "";
        }
        catch (Win32Exception) // there is no such program
        {
            return "";
        }
    }

    private static string? NullIfEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;

    [LibraryImport("libc", EntryPoint = "getuid")]
    private static partial uint GetUserId();
}
