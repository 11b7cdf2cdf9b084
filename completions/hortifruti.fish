# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_hortifruti_global_optspecs
    string join \n h/help V/version
end

function __fish_hortifruti_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_hortifruti_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_hortifruti_using_subcommand
    set -l cmd (__fish_hortifruti_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c hortifruti -n "__fish_hortifruti_needs_command" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -s V -l version -d 'Mostra a versão'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "serve" -d 'Guarda o estoque e atende clientes: navegadores, texto e gRPC'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "shell" -d 'Abre um terminal interativo'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "query" -d 'Consulta um produto, os produtos até um preço, ou todos'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "update" -d 'Muda o estoque de um produto'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "sell" -d 'Vende: um produto, ou vários num só documento'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "buy" -d 'Compra: entra no estoque, com o que custou'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "waste" -d 'Registra uma perda, com a causa'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "count" -d 'Ajusta o estoque à contagem, de um produto ou de uma lista'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "undo" -d 'Desfaz um movimento, com o documento inteiro dele, ou uma importação'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "history" -d 'Mostra os movimentos do estoque, do último para trás'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "watch" -d 'Mostra cada movimento assim que é gravado'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "product" -d 'Cadastra e muda produtos: nome, preço, códigos, categoria, mínimo'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "report" -d 'Mostra um relatório de um período: fechamento, vendas, perdas, compras, margens e mais'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "label" -d 'Etiquetas de prateleira e de balança'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "import" -d 'Cria produtos e muda preços a partir de uma lista: planilha, CSV ou carga de balança'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "export" -d 'Exporta o catálogo: CSV, planilha ou carga de balança'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "backup" -d 'Copia o banco de dados, também enquanto um servidor o usa'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "restore" -d 'Restaura uma cópia do banco de dados, e guarda o anterior'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "verify" -d 'Confere um banco de dados ou uma cópia'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "move" -d 'Leva a loja de um banco de dados para outro, como de um arquivo para o PostgreSQL'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "status" -d 'Mostra como está o servidor: banco de dados, conexões, fila, gravações'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "stop" -d 'Para o servidor desta pasta, como Ctrl-C: responde ao que recebeu e termina'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "service" -d 'O servidor como serviço do Windows: começa com a máquina'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "token" -d 'Cria, mostra e revoga tokens, que identificam os clientes de um servidor'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "tls" -d 'Cria certificados de TLS: uma autoridade da loja, e os do servidor e de clientes'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "bench" -d 'Mede e compara o protocolo de texto e o gRPC'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "completions" -d 'Escreve o script de autocompletar de um shell'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "man" -d 'Escreve as páginas de manual, uma para cada comando'
complete -c hortifruti -n "__fish_hortifruti_needs_command" -f -a "help" -d 'Mostra a ajuda de um comando'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l public-name -d 'Nome pelo qual navegadores acham este servidor, além dos da máquina; pode repetir' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l port -d 'Porta; 0 escolhe uma livre. O padrão é 8082, ou uma livre com --grpc sozinho' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l host -d 'Endereço em que escuta. O padrão é 127.0.0.1' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l tls-cert -d 'Certificado do servidor, em PEM; com ele, atende só por TLS. Relido com SIGHUP' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l tls-key -d 'Chave privada do certificado, em PEM e sem senha' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l tls-client-ca -d 'Só atende clientes com um certificado desta autoridade' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l token-file -d 'Só atende clientes com um token deste arquivo (veja `hortifruti token`). Relido com SIGHUP' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l data -d 'Banco de dados; `:memory:` não guarda nada. O padrão é hortifruti.db' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l label -d 'Lê etiquetas de balança por esta máscara, como 2CCCCCCPPPPPD (C código, P gramas, T centavos, D verificador); várias, se os dígitos fixos as distinguem' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l scale-dir -d 'Mantém nesta pasta o arquivo das balanças: refeito até um segundo depois que um preço muda' -r -f -a "(__fish_complete_directories)"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l scale-format -d 'Formato desse arquivo: itensmgv (o padrão), itensmgv4, txitens, filizola ou urano' -r -f -a "itensmgv\t''
itensmgv4\t''
txitens\t''
filizola\t''
urano\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l scale-department -d 'Departamento desse arquivo, de 1 a 99. O padrão é 1' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l scale-encoding -d 'Letras desse arquivo: ascii (o padrão), sem acentos, ou windows-1252, com eles' -r -f -a "ascii\t''
windows-1252\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l cnpj -d 'CNPJ da loja: o painel recusa a nota de outra' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l workers -d 'Threads que atendem as conexões. O padrão é um por núcleo do processador, menos um' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l exit-after -d 'Para depois de N conexões' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l drain-seconds -d 'Ao parar, espera no máximo estes segundos pelos clientes. O padrão é 10' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l max-connections -d 'Máximo de conexões ao mesmo tempo. O padrão é 16384' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l max-connections-per-address -d 'Máximo de conexões de um só endereço. O padrão é 1024; desta máquina, sem limite' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l idle-seconds -d 'Encerra uma conexão parada há estes segundos; 0, nunca. O padrão é 43200 (12 horas)' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l service -d 'Para o gerenciador de serviços do Windows; `service install` põe esta opção' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l socket -d 'Atende o protocolo de texto. O padrão é atender os três'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l grpc -d 'Atende gRPC. O padrão é atender os três'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l http -d 'Atende HTTP: o painel no navegador e programas. O padrão é atender os três'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l insecure -d 'Aceita um endereço aberto à rede sem TLS ou sem tokens'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -l empty -d 'Começa um banco de dados novo sem os quatro produtos de exemplo'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -s q -l quiet -d 'Não mostra conexões e comandos'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand serve" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand shell" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand shell" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand shell" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand shell" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand shell" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand shell" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand shell" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand shell" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand shell" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand shell" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand shell" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l max-price -d 'Só os produtos até este preço, como 8 ou 3,50' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l search -d 'Só os que têm estas palavras no nome, em qualquer ordem' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l category -d 'Só os desta categoria' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l low -d 'Só os que estão abaixo do seu estoque mínimo; com --format table, também o que comprar'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l retired -d 'Também os aposentados'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand query" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l reason -d 'Motivo: ajuste (o padrão), compra, venda, perda ou contagem' -r -f -a "ajuste\t''
compra\t''
venda\t''
perda\t''
contagem\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l total -d 'Quanto se pagou ou recebeu ao todo, em reais, numa compra ou venda; sem isto, preço × quantidade' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l cause -d 'Causa de uma perda: vencido, maduro, avaria, peso, furto, consumo, doacao, degustacao ou devolucao' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l note -d 'Observação, de até 200 caracteres' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand update" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l note -d 'Observação' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l outbox -d 'Arquivo que guarda a venda se nenhum servidor responde, e a envia depois; sozinho, só envia' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l yes -d 'Faz a mudança sem perguntar, ainda que pareça engano'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand sell" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l total -d 'Total pago, como 2800,00' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l supplier -d 'Fornecedor' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l lot -d 'Lote do fornecedor' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l expires -d 'Último dia de venda, como 5/12, 05/12/2026, 2026-12-05 ou amanhã' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l note -d 'Observação' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l nfe -d 'Nota do fornecedor (NF-e), em XML, no lugar da quantidade e do nome' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l map -d 'CSV que diz de que produto é cada item da nota' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l cnpj -d 'CNPJ da loja: recusa a nota de outra' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l dry-run -d 'Mostra o que a nota lançaria, sem lançar'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l again -d 'Lança de novo uma nota que foi lançada e desfeita'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l yes -d 'Faz a mudança sem perguntar, ainda que pareça engano'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand buy" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l cause -d 'Causa: vencido, maduro, avaria, peso, furto, consumo, doacao, degustacao ou devolucao' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l note -d 'Observação' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l yes -d 'Faz a mudança sem perguntar, ainda que pareça engano'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand waste" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l blind -d 'Não mostra o estoque de antes nem a diferença'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand count" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l import -d 'Desfaz a última importação, ou a deste momento, como `history --changes` o mostra: os preços e o cadastro voltam ao que eram, e os produtos que ela criou são aposentados' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l single -d 'Desfaz só este movimento, e não os outros do mesmo documento'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand undo" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l kind -d 'Só deste motivo: ajuste, abertura, compra, venda, perda ou contagem' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l author -d 'Só os movimentos que este token pediu' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l since -d 'Desde este dia ou momento: hoje, ontem, 2026-11-29, 29/11/2026 ou 2026-11-29T14:30' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l until -d 'Até este dia, inclusive, ou antes deste momento' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l limit -d 'Quantos movimentos, no máximo. O padrão é 20, e todos os de um período' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l format -d 'Formato: text (o padrão), table, json, ndjson, csv ou xlsx (com `> ARQUIVO`)' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''
xlsx\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l changes -d 'Mostra as mudanças do cadastro (nome, preço, código, …) em vez dos movimentos'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand history" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l after -d 'Começa depois do movimento deste número; 0, do primeiro. O padrão é o último' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l product -d 'Só os movimentos deste produto' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand watch" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and not __fish_seen_subcommand_from new set rename retire restore merge clear-examples" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and not __fish_seen_subcommand_from new set rename retire restore merge clear-examples" -f -a "new" -d 'Cadastra um produto, sem estoque'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and not __fish_seen_subcommand_from new set rename retire restore merge clear-examples" -f -a "set" -d 'Muda o preço, a unidade, os códigos e o mais de um produto'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and not __fish_seen_subcommand_from new set rename retire restore merge clear-examples" -f -a "rename" -d 'Dá outro nome a um produto'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and not __fish_seen_subcommand_from new set rename retire restore merge clear-examples" -f -a "retire" -d 'Aposenta um produto: sai das listas, e não se vende nem se compra'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and not __fish_seen_subcommand_from new set rename retire restore merge clear-examples" -f -a "restore" -d 'Devolve à venda um produto aposentado'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and not __fish_seen_subcommand_from new set rename retire restore merge clear-examples" -f -a "merge" -d 'Une um produto com outro: o estoque e os códigos passam, e o primeiro se aposenta'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and not __fish_seen_subcommand_from new set rename retire restore merge clear-examples" -f -a "clear-examples" -d 'Retira os produtos de exemplo que nunca se moveram'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l unit -d 'Unidade, como kg, un, maço ou cx' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l code -d 'Código da loja, de 1 a 6 dígitos, como está na balança; 0 tira o código' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l barcode -d 'Código de barras ou PLU; pode repetir. Os de antes saem; \'\' tira todos' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l category -d 'Categoria, como frutas, legumes ou verduras; \'\' tira a categoria' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l minimum -d 'Estoque mínimo: abaixo dele, o produto está acabando; 0 para nenhum' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l target -d 'Estoque que uma compra deve alcançar; 0 para nenhum' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l shelf-life -d 'Dias que uma compra dura; 0 se não se sabe' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from new" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l price -d 'Preço de uma unidade, como 8 ou 3,50' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l margin -d 'Margem sobre o preço, em %: com 40, o custo é 60% do preço' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l markup -d 'Acréscimo sobre o custo, em %: com 40, o preço é 140% do custo' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l unit -d 'Unidade, como kg, un, maço ou cx' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l code -d 'Código da loja, de 1 a 6 dígitos, como está na balança; 0 tira o código' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l barcode -d 'Código de barras ou PLU; pode repetir. Os de antes saem; \'\' tira todos' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l category -d 'Categoria, como frutas, legumes ou verduras; \'\' tira a categoria' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l minimum -d 'Estoque mínimo: abaixo dele, o produto está acabando; 0 para nenhum' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l target -d 'Estoque que uma compra deve alcançar; 0 para nenhum' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l shelf-life -d 'Dias que uma compra dura; 0 se não se sabe' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l yes -d 'Muda o preço sem perguntar, ainda que pareça engano'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from set" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from rename" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from retire" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from restore" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from merge" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l request-id -d 'Identificador do pedido; repetido, dá a mesma resposta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l format -d 'Formato: text (o padrão), table, json, ndjson ou csv' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand product; and __fish_seen_subcommand_from clear-examples" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l since -d 'Desde este dia ou momento: hoje, ontem, 2026-11-29, 29/11/2026 ou 2026-11-29T14:30' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l until -d 'Até este dia, inclusive, ou antes deste momento' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l days -d 'Em expiring: o que vence em até tantos dias (o padrão é 1); em low: comprar para tantos dias de venda' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l by -d 'Soma por product, category, day, reason, supplier, author ou kind' -r -f -a "product\t''
category\t''
day\t''
reason\t''
supplier\t''
author\t''
kind\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l kind -d 'Só deste motivo, em day e products: ajuste, abertura, compra, venda, perda ou contagem' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l time-zone -d 'Fuso horário dos dias, como America/Sao_Paulo. O padrão é o deste computador' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l format -d 'Formato: text (o padrão), table, json, ndjson, csv ou xlsx (com `> ARQUIVO`)' -r -f -a "text\t''
table\t''
json\t''
ndjson\t''
csv\t''
xlsx\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand report" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and not __fish_seen_subcommand_from print test" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and not __fish_seen_subcommand_from print test" -f -a "print" -d 'Faz um PDF com nome, preço e código de barras de produtos'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and not __fish_seen_subcommand_from print test" -f -a "test" -d 'Mostra o que uma etiqueta de balança diz: máscara, código, produto, peso e valor'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l category -d 'Todos os produtos à venda desta categoria' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l pdf -d 'Arquivo do PDF' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l paper -d 'Papel: a4 (folhas de 21 etiquetas de 63,5 × 38,1 mm; o padrão) ou 50x30 (rolo)' -r -f -a "a4\t''
50x30\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l copies -d 'Etiquetas de cada produto' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l force -d 'Substitui um PDF que já existe'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from print" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l label -d 'Máscara em lugar das de `serve --label`, para experimentar; pode repetir-se' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l format -d 'Formato: text (o padrão) ou json' -r -f -a "text\t''
json\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand label; and __fish_seen_subcommand_from test" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l column -d 'Lê este campo da coluna com este cabeçalho, como nome=Descrição; `-` em lugar do cabeçalho não o lê' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l department -d 'Em arquivos de balança: lê só este departamento, um número da Toledo ou um setor do SETORTXT.TXT da Filizola' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l request-id -d 'Identificador do pedido; repetido, não importa a lista outra vez' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l dry-run -d 'Mostra as mudanças, sem fazê-las'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l yes -d 'Importa também linhas que parecem erradas, sem perguntar'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l count -d 'Registra como contagem o estoque que a lista dá; sem isto, os produtos que já existem ficam com o seu'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l skip-bad -d 'Deixa de fora as linhas com erro, e as lista'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand import" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l format -d 'Formato do arquivo. O padrão é csv, e xlsx para um ARQUIVO com esse fim' -r -f -a "csv\t''
planilha\t''
xlsx\t''
itensmgv\t''
itensmgv4\t''
txitens\t''
filizola\t''
urano\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l department -d 'Em arquivos da Toledo: departamento, de 1 a 99. O padrão é 1' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l encoding -d 'Em arquivos de balança: ascii (o padrão), sem acentos, ou windows-1252, com eles' -r -f -a "ascii\t''
windows-1252\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l force -d 'Substitui um arquivo que `export` escreveu antes'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand export" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand backup" -l data -d 'Banco de dados a copiar. O padrão é hortifruti.db' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand backup" -l keep -d 'Dá à cópia um nome com a data, e apaga as mais antigas, até restarem N' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand backup" -l force -d 'Substitui uma cópia que já existe, quando a nova estiver pronta'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand backup" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand restore" -l data -d 'Banco de dados a substituir. O padrão é hortifruti.db' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand restore" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand verify" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand move" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -l format -d 'Formato: text (o padrão) ou json' -r -f -a "text\t''
json\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -l server -d 'Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -l socket -d 'Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -l grpc -d 'Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand status" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand stop" -l port-file -d 'Arquivo com a porta do servidor. O padrão é server_port.txt' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand stop" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand service; and not __fish_seen_subcommand_from install start stop remove" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand service; and not __fish_seen_subcommand_from install start stop remove" -f -a "install" -d 'Instala e inicia o serviço; repetido, troca o programa e as opções dele'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand service; and not __fish_seen_subcommand_from install start stop remove" -f -a "start" -d 'Inicia o serviço'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand service; and not __fish_seen_subcommand_from install start stop remove" -f -a "stop" -d 'Para o serviço, como Ctrl-C para um servidor'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand service; and not __fish_seen_subcommand_from install start stop remove" -f -a "remove" -d 'Para e remove o serviço; os dados da loja ficam'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand service; and __fish_seen_subcommand_from install" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand service; and __fish_seen_subcommand_from start" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand service; and __fish_seen_subcommand_from stop" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand service; and __fish_seen_subcommand_from remove" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand token; and not __fish_seen_subcommand_from new list revoke" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand token; and not __fish_seen_subcommand_from new list revoke" -f -a "new" -d 'Cria um token e mostra o segredo dele, só desta vez'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand token; and not __fish_seen_subcommand_from new list revoke" -f -a "list" -d 'Mostra o nome e o papel de cada token'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand token; and not __fish_seen_subcommand_from new list revoke" -f -a "revoke" -d 'Revoga um token: quem o tem não é mais atendido'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand token; and __fish_seen_subcommand_from new" -l role -d 'O que permite: leitura (o padrão), contagem (só contar, sem ver o estoque), venda (vender e consultar) ou escrita (tudo)' -r -f -a "leitura\t''
contagem\t''
venda\t''
escrita\t''"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand token; and __fish_seen_subcommand_from new" -l token-file -d 'Arquivo de tokens do servidor, que recebe a linha; sem ele, a linha é só mostrada' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand token; and __fish_seen_subcommand_from new" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand token; and __fish_seen_subcommand_from list" -l token-file -d 'Arquivo de tokens do servidor' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand token; and __fish_seen_subcommand_from list" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand token; and __fish_seen_subcommand_from revoke" -l token-file -d 'Arquivo de tokens do servidor' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand token; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand tls; and not __fish_seen_subcommand_from new client" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand tls; and not __fish_seen_subcommand_from new client" -f -a "new" -d 'Cria uma autoridade, e um certificado para o servidor assinado por ela'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand tls; and not __fish_seen_subcommand_from new client" -f -a "client" -d 'Cria o certificado de um cliente, para um servidor com --tls-client-ca'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand tls; and __fish_seen_subcommand_from new" -l folder -d 'Pasta dos arquivos, criada se não existe. O padrão é a atual' -r -f -a "(__fish_complete_directories)"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand tls; and __fish_seen_subcommand_from new" -l renew -d 'Só faz outro certificado para o servidor, com a autoridade que já está na pasta'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand tls; and __fish_seen_subcommand_from new" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand tls; and __fish_seen_subcommand_from client" -l folder -d 'Pasta da autoridade e dos arquivos. O padrão é a atual' -r -f -a "(__fish_complete_directories)"
complete -c hortifruti -n "__fish_hortifruti_using_subcommand tls; and __fish_seen_subcommand_from client" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l server -d 'Servidor a medir; os estoques dele mudam' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l connections -d 'Conexões de cada modo. O padrão é 16' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l pipeline -d 'Operações em voo em cada conexão. O padrão é 16' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l duration -d 'Duração da medição de cada modo. O padrão é 10' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l rate -d 'Operações por segundo (laço aberto); sem ela, o máximo (laço fechado)' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l mix -d 'Leituras e gravações em cada cem. O padrão é read=80,write=20' -r
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l json -d 'Escreve os números em JSON' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l html -d 'Escreve uma página com os gráficos' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l tls-ca -d 'Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l tls-cert -d 'Certificado deste cliente, em PEM, se o servidor pede um' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l tls-key -d 'Chave privada do certificado deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l token-file -d 'Arquivo com o token deste cliente' -r -F
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l tls -d 'Conecta por TLS; --tls-ca e --tls-cert também o pedem'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -l insecure -d 'Envia o token a outra máquina também sem TLS'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand bench" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand completions" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand man" -s h -l help -d 'Mostra esta ajuda'
complete -c hortifruti -n "__fish_hortifruti_using_subcommand help" -s h -l help -d 'Mostra esta ajuda'
