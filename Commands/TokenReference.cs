using System.Text;
using Pelican.ClientApi;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>
/// The token of a job, as the name of a file: the daemon has another environment, and reads the file anew each time, so
/// that it can be renewed in place.
/// </summary>
/// <param name="File">The file.</param>
/// <param name="OfJob">Whether it was made for the job alone, and goes with it.</param>
internal sealed record TokenReference(string File, bool OfJob)
{
    private const UnixFileMode ForOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// The file that the user named, else the first place of the environment that holds a token whose time has come and is
    /// not over, else the first that holds any; null for none. Whether it suits, the daemon sees when it knows the namespace.
    /// </summary>
    /// <param name="named"><c>--token</c>; null when not given.</param>
    /// <param name="tokenName">Name of the credential in the URL; null for none.</param>
    /// <param name="session">Where the command runs.</param>
    public static TokenReference? Find(string? named, string? tokenName, Session session)
    {
        if (ObjectWords.TokenFile(named, session.World) is { } file)
        {
            return new TokenReference(file, OfJob: false);
        }

        (BearerToken Token, string? File)? first = null;
        foreach ((BearerToken Token, string? File) found in session.TokenFinder().All(tokenName))
        {
            if (IsInForce(found.Token, session.World.Clock.GetUtcNow()))
            {
                return Refer(found, session.World);
            }

            first ??= found;
        }

        return first is { } any ? Refer(any, session.World) : null;
    }

    /// <summary>Removes the file of a job that was not made.</summary>
    public static void Forget(JobOptions options)
    {
        if (options is { ForgetToken: true, Token: { } file })
        {
            System.IO.File.Delete(file);
        }
    }

    // What is no JWT does not say when it ends.
    private static bool IsInForce(BearerToken token, DateTimeOffset now) =>
        token.Claims is not { } claims || !(claims.Expires <= now || claims.NotBefore > now);

    // A token that is only in a variable gets a file of its own, for the caller alone: a job outlives the shell, and neither
    // the request nor the database may hold the token itself. One a job: nobody can tell when the last of several has used it.
    private static TokenReference Refer((BearerToken Token, string? File) found, Surroundings world)
    {
        if (found.File is { } file)
        {
            return new TokenReference(file, OfJob: false);
        }

        string folder = Path.Combine(DaemonAccess.Home(world), ".pelican", JobTokens.Folder);
        string own = Path.Combine(folder, Guid.NewGuid().ToString("N"));
        try
        {
            Directory.CreateDirectory(folder, ForOwner | UnixFileMode.UserExecute);
            LocalFile.Replace(own, Encoding.ASCII.GetBytes(found.Token.Value), ForOwner, durable: true);
            return new TokenReference(own, OfJob: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, own, "write");
        }
    }
}
