using System.CommandLine;

namespace Pelican.Commands;

/// <summary><c>pelican object</c>: what can be done with objects.</summary>
internal static class ObjectCommand
{
    /// <summary>Makes the command with its verbs.</summary>
    public static Command Create(CommandHost host) => new Verb("object", "Work with objects in a federation.")
    {
        ObjectGetCommand.Create(host),
        ObjectPutCommand.Create(host),
        ObjectCopyCommand.Create(host),
        ObjectLsCommand.Create(host),
        ObjectStatCommand.Create(host),
        ObjectDeleteCommand.Create(host),
    };
}
