return await Pelican.Commands.Cli.RunAsync(args);
