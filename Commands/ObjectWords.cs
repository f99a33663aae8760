using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>The words of a command line that name objects and files.</summary>
internal static class ObjectWords
{
    /// <summary>The destination that is standard output.</summary>
    public const string StandardOutput = "-";

    /// <summary>A destination, with one name for standard output: opening it anew would begin at the start of a file that has something in it.</summary>
    public static string Output(string destination) => destination is "/dev/stdout" or "/dev/fd/1" ? StandardOutput : destination;

    /// <summary>Takes a word for the URL of an object.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/> or <see cref="Errors.NotSupported"/>.</exception>
    public static ObjectUrl Url(string word, Session session) => ObjectUrl.Parse(word, session.Configuration.Client);

    /// <summary>Takes the last word for the destination and the others for sources.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: one of them is missing.</exception>
    public static (IReadOnlyList<string> Sources, string Destination) Split(string[] words, string command)
    {
        if (words.Length < 2)
        {
            throw new PelicanException(Errors.Parameter, "No Source or Destination",
                $"The last word is the destination{(command == "get" ? ", '.' for the current directory" : "")}. Try 'pelican object {command} --help' for more information.");
        }

        string destination = words[^1];
        return destination.Length > 0 && !words.Contains("")
            ? (words[..^1], destination)
            : throw Missing("a source or destination is empty", command);
    }

    /// <summary>Takes the only word.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: there is none, or more than one.</exception>
    public static string One(string[] words, string command) => words.Length switch
    {
        0 => throw Missing(command == "ls" ? "no location provided" : "no object provided", command),
        1 => words[0],
        _ => throw Missing($"one object at a time: '{words[1]}' is too many", command),
    };

    /// <summary>The error of a word that is missing.</summary>
    public static PelicanException Missing(string what, string command) =>
        new(Errors.Parameter, what, $"Try 'pelican object {command} --help' for more information.");

    /// <summary>Whether whole trees are meant, by <c>-r</c> or by the URLs themselves.</summary>
    /// <param name="flag">Whether <c>-r</c> was given.</param>
    /// <param name="urls">The URLs that may say <c>?recursive</c>.</param>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: some say so and others do not.</exception>
    public static bool IsRecursive(bool flag, IReadOnlyList<ObjectUrl> urls)
    {
        int trees = urls.Count(url => url.Recursive);
        return flag || trees == 0 || trees == urls.Count
            ? flag || trees > 0
            : throw new PelicanException(Errors.Parameter, "some URLs have '?recursive' and others have not",
                "Give -r, which means all of them, or two commands.");
    }

    /// <summary>Refuses sources that would end up under one name, the last one over the others.</summary>
    /// <param name="sources">As written.</param>
    /// <param name="nameOf">Name that a source gets at the destination.</param>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>.</exception>
    public static void RefuseSameNames(IReadOnlyList<string> sources, Func<string, string> nameOf)
    {
        HashSet<string> names = new(sources.Count, StringComparer.Ordinal);
        foreach (string source in sources)
        {
            string name = nameOf(source);
            if (!names.Add(name))
            {
                string first = sources.First(other => nameOf(other) == name);
                throw new PelicanException(Errors.Parameter, $"'{first}' and '{source}' would both be written to '{name}'",
                    "Transfer them to different directories or collections.");
            }
        }
    }

    /// <summary>A token file named by the user, absolute.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.LocalFileNotFound"/>.</exception>
    public static string? TokenFile(string? path, Surroundings world)
    {
        if (path is null)
        {
            return null;
        }

        string absolute = world.Absolute(path);
        return File.Exists(absolute) ? absolute
            : throw new PelicanException(Errors.LocalFileNotFound,
                Directory.Exists(absolute) ? $"the token file '{path}' is a directory" : $"there is no token file '{path}'",
                "Check what is given with --token: the name of a file with the token, never the token itself.");
    }
}
