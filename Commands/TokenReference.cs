using System.Security.Cryptography;
using System.Text;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>
/// The token of a job, as the name of a file: the daemon has another environment, and reads the file anew each time, so
/// that it can be renewed in place.
/// </summary>
internal static class TokenReference
{
    private const UnixFileMode ForOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>A token of the environment that no job has been given for so long is forgotten.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>The file that the user named, else the first place of the environment that holds a token; null for none.</summary>
    /// <param name="named"><c>--token</c>; null when not given.</param>
    /// <param name="tokenName">Name of the credential in the URL; null for none.</param>
    /// <param name="session">Where the command runs.</param>
    public static string? Find(string? named, string? tokenName, Session session)
    {
        if (ObjectWords.TokenFile(named, session.World) is { } file)
        {
            return file;
        }

        TokenEnvironment places = session.Tokens();
        return places.BearerToken is { } text && TokenFile.TryTake(text, out string? token, out _)
            ? Keep(token, session.World)
            : Files(places, tokenName).FirstOrDefault(place => TokenFile.TryRead(place.File, place.Owner, out _, out _)).File;
    }

    // The order of TokenFinder.
    private static IEnumerable<(string File, uint? Owner)> Files(TokenEnvironment places, string? tokenName)
    {
        string own = FormattableString.Invariant($"bt_u{places.UserId}");
        if (places.BearerTokenFile is { } bearer)
        {
            yield return (bearer, null);
        }

        if (places.RuntimeDirectory is { } runtime)
        {
            yield return (Path.Combine(runtime, own), null);
        }

        yield return (Path.Combine(places.TemporaryDirectory, own), places.UserId);
        if (places.LegacyTokenFile is { } legacy)
        {
            yield return (legacy, null);
        }

        if (places.CondorCredentials is { } directory)
        {
            foreach (string file in TokenFinder.CondorFiles(directory, tokenName, out _))
            {
                yield return (file, null);
            }
        }
    }

    // A token that is only in a variable gets a file of its own, named by what is in it, for the caller alone: a job outlives
    // the shell, and neither the request nor the database may hold the token itself.
    private static string Keep(string token, Surroundings world)
    {
        byte[] content = Encoding.ASCII.GetBytes(token);
        string folder = Path.Combine(DaemonAccess.Home(world), ".pelican", "tokens");
        string file = Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 16)));
        DateTime now = world.Clock.GetUtcNow().UtcDateTime;
        try
        {
            if (File.Exists(file) && File.ReadAllBytes(file).AsSpan().SequenceEqual(content))
            {
                File.SetLastWriteTimeUtc(file, now);
                return file;
            }

            Directory.CreateDirectory(folder, ForOwner | UnixFileMode.UserExecute);
            Write(file, content);
            foreach (string old in Directory.EnumerateFiles(folder).Where(other => File.GetLastWriteTimeUtc(other) < now - Kept))
            {
                File.Delete(old);
            }

            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, file, "write");
        }
    }

    private static void Write(string file, byte[] content)
    {
        string part = $"{file}.{Environment.ProcessId}";
        using (FileStream stream = new(part, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = ForOwner,
        }))
        {
            stream.Write(content);
        }

        File.Move(part, file, overwrite: true);
    }
}
